import type { Series } from "./kernels.js";

/**
 * What test:vm runs where no files are named: what depends on the kernel, and fits into some minutes on an emulated machine,
 * ten to twenty times slower than this one. What many other tests rest upon comes first.
 */
const EVERYWHERE = [
  ...["verifier", "interop", "xdp-root", "gre", "gre-kernel", "tunnel-kinds", "tunnel-devices"],
  ...["runtime-apply", "runtime-traffic", "runtime-flip", "lab-sites"],
];

/** These have nftables judge one packet at a time, between two BPF programs at its hooks (BPF_NETFILTER, Linux 6.4). */
const BETWEEN_HOOKS = ["nft-exact", "difftest"];

/** The kernels of the matrix that have no BPF programs at netfilter's hooks. */
const WITHOUT_HOOKS: readonly string[] = ["6.1"] satisfies readonly Series[];

/** The files for a kernel of the matrix, or for this one. */
export function suiteFor(kernel: Series | "host"): readonly string[] {
  const names = WITHOUT_HOOKS.includes(kernel) ? EVERYWHERE : [...EVERYWHERE, ...BETWEEN_HOOKS];
  return names.map((name) => `test/kernel/${name}.test.ts`);
}

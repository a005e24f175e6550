import type { Series } from "./kernels.js";

/**
 * What test:vm runs where no files are named: what depends on the kernel, and fits into some minutes on an emulated machine,
 * ten to twenty times slower than this one. What many other tests rest upon comes first.
 */
const EVERYWHERE = [
  ...["verifier", "interop", "gre", "gre-kernel", "tunnel-kinds", "outer-pieces", "outer-fragments"],
  ...["tunnel-devices", "netlink", "bonded-uplinks"],
  ...["runtime-apply", "runtime-traffic", "runtime-flip", "lab-sites"],
];

/** These have nftables judge one packet at a time, between two BPF programs at its hooks (BPF_NETFILTER, Linux 6.4). */
const BETWEEN_HOOKS = ["nft-exact", "difftest"];

/** What an emulated machine has no time for, and says least about its kernel. A table's column counts what was skipped. */
export const LEFT_OUT = [
  "renames a tunnel, or two tunnels change places, at the same remotes",
  "in nft/acme.nft leaves the one before in force",
  "says so when it cannot be undone either, and applying again mends it",
  "is no way back for a change, and no hindrance to remove",
  "what cannot be cleared up after a change does not undo it",
  "what the operator had before stays",
];

/** A pattern for the names of tests that fits all but those. */
export const WITHOUT_LEFT_OUT = `^(?!.*(?:${LEFT_OUT.map((name) => name.replaceAll(/[.()]/g, "\\$&")).join("|")}))`;

/** The kernels of the matrix that have no BPF programs at netfilter's hooks. */
const WITHOUT_HOOKS: readonly string[] = ["6.1"] satisfies readonly Series[];

/** The files for a kernel of the matrix, or for this one. */
export function suiteFor(kernel: Series | "host"): readonly string[] {
  const names = WITHOUT_HOOKS.includes(kernel) ? EVERYWHERE : [...EVERYWHERE, ...BETWEEN_HOOKS];
  return names.map((name) => `test/kernel/${name}.test.ts`);
}

import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { packageRoot } from "../../src/cli/package-root.js";
import { unpacked } from "./commands.js";
import { cpio, type Entry } from "./cpio.js";
import type { Kernel } from "./kernels.js";

/** What the machine's first program needs to see the host's files. */
const FIRST = ["virtio_mmio", "virtio_console", "virtiofs", "overlay"];

/** What tests will ask for; whatever is missing here is loaded when it is asked for, but slowly. */
const THEN = [
  ...[
    "veth",
    "tun",
    "dummy",
    "ip_gre",
    "ip6_gre",
    "ipip",
    "sit",
    "ip6_tunnel",
    "sch_ingress",
    "cls_bpf",
    "act_bpf",
  ],
  ...["nf_tables", "nfnetlink", "nf_conntrack", "nf_defrag_ipv4", "nf_defrag_ipv6", "nft_ct", "nft_limit"],
  ...["nft_log", "nft_hash", "nft_numgen", "nft_connlimit", "nft_reject_inet", "nft_fib_inet", "nft_nat"],
  ...["nft_chain_nat", "nft_objref", "nft_quota", "nf_log_syslog", "xt_mark"],
];

/** The first file system: one program, and the modules of this kernel in an order in which insmod takes them. */
export async function initramfs({ modules }: Kernel): Promise<Buffer> {
  const known = dependencies(await readFile(join(modules, "modules.dep"), "utf8"));
  const first = inOrder(FIRST, known);
  const then = inOrder(THEN, known).filter((file) => !first.includes(file));
  const list = (name: string, files: readonly string[]): Entry => ({
    path: `modules/${name}`,
    content: Buffer.from(files.map((file) => `${moduleName(file)}\n`).join("")),
  });
  const folders = ["bin", "modules", "proc", "sys", "dev", "host", "layer", "root"];
  return cpio([
    ...folders.map((path) => ({ path })),
    { path: "bin/busybox", content: await readFile("/bin/busybox"), executable: true },
    {
      path: "init",
      content: await readFile(join(packageRoot(), "test/vm/guest-init")),
      executable: true,
    },
    list("first", first),
    list("then", then),
    ...(await Promise.all([...first, ...then].map((file) => moduleEntry(modules, file)))),
  ]);
}

/** File of a module → files that must be loaded before it, the last one first (modules.dep(5)). */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

export function dependencies(text: string): Dependencies {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [file, needs] = line.split(":");
      return file && needs !== undefined ? [[file, needs.split(" ").filter(Boolean)] as const] : [];
    }),
  );
}

/** Modules that this kernel has not, or has built in, are left out. */
export function inOrder(names: readonly string[], known: Dependencies): readonly string[] {
  const byName = new Map([...known.keys()].map((file) => [moduleName(file), file]));
  const files = names.flatMap((name) => {
    const file = byName.get(name);
    return file === undefined ? [] : [...(known.get(file) ?? []).toReversed(), file];
  });
  return [...new Set(files)];
}

/** `kernel/net/ipv4/ip_gre.ko.xz` → `ip_gre`; the kernel itself takes `-` for `_`. */
function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(\.xz)?$/, "")
    .replaceAll("-", "_");
}

async function moduleEntry(folder: string, file: string): Promise<Entry> {
  const whole = join(folder, file);
  const content = file.endsWith(".xz") ? await unpacked(whole) : await readFile(whole);
  return { path: `modules/${moduleName(file)}`, content };
}

import { execFileSync } from "node:child_process";

/** Compiles C to a BPF object; `body` follows the includes and the license. */
export function compileBpf(object: string, body: string): void {
  const source = `#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nchar LICENSE[] SEC("license") = "GPL";\n${body}`;
  const machine = execFileSync("gcc", ["-dumpmachine"], { encoding: "utf8" }).trim();
  const flags = ["-O2", "-g", "-target", "bpf", `-I/usr/include/${machine}`];
  execFileSync("clang", [...flags, "-x", "c", "-c", "-", "-o", object], { input: source });
}

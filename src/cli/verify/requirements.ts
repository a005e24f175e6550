import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../exit.js";
import { packageRoot } from "../package-root.js";

const BUILT = [
  "dist/bpf/root.bpf.o",
  "dist/runtime/loader/tidegate-loader",
  "dist/runtime/probe/tidegate-probe",
  "dist/runtime/probe/hooks.bpf.o",
];

/** Throws a UsageError that names everything which is missing to run packets here, and where it comes from. */
export function requireKernel(tools: readonly string[]): void {
  const root = process.getuid?.() === 0 ? [] : ["verify loads programs into the kernel: run it as root"];
  const absent = tools.filter((tool) => !isInstalled(tool));
  const unbuilt = BUILT.filter((file) => !existsSync(join(packageRoot(), file)));
  const problems = [
    ...root,
    ...(absent.length > 0 ? [`not installed: ${absent.join(", ")}; scripts/setup installs them`] : []),
    ...(unbuilt.length > 0 ? [`not built: ${unbuilt.join(", ")}; npm run build makes them`] : []),
    ...(existsSync("/dev/net/tun") ? [] : ["the kernel has no /dev/net/tun: modprobe tun"]),
  ];
  if (problems.length > 0) throw new UsageError(`cannot verify here\n  ${problems.join("\n  ")}`);
}

function isInstalled(tool: string): boolean {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return spawnSync("sh", ["-c", `command -v ${tool}`], { env: { PATH: path } }).status === 0;
}

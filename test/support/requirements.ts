import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * The kernel tests use the real thing, so what they need must be here: they fail, and never skip, without it.
 * Runs once before all tests.
 */
export function setup(): void {
  const missing = [
    ...["clang", "llvm-strip", "nft", "ip", "tshark", "tcpdump", "bpftool"].filter(
      (command) => !runs(command),
    ),
    ...["dist/runtime/loader/tidegate-loader", "dist/bpf/root.bpf.o"].filter((file) => !existsSync(file)),
    ...(process.getuid?.() === 0 ? [] : ["root"]),
  ];
  if (missing.length > 0) {
    throw new Error(
      `the tests need ${missing.join(", ")}; as root, scripts/setup installs the tools and scripts/build makes dist/`,
    );
  }
}

function runs(command: string): boolean {
  return spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin command -v ${command}`]).status === 0;
}

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * The kernel tests use the real thing, so what they need must be here: without it each of their files fails, and none is
 * skipped. The other tests run all the same.
 */
const TOOLS = ["clang", "llvm-strip", "nft", "ip", "tshark", "tcpdump", "bpftool"];
const BUILT = [
  "dist/runtime/loader/tidegate-loader",
  "dist/runtime/probe/tidegate-probe",
  "dist/bpf/root.bpf.o",
];

/** Those that are not on the path, nor where Debian puts what only root uses. */
function absent(tools: readonly string[]): readonly string[] {
  const script =
    'PATH=$PATH:/usr/sbin:/sbin; for tool; do command -v "$tool" >/dev/null || echo "$tool"; done';
  const { stdout } = spawnSync("sh", ["-c", script, "sh", ...tools], { encoding: "utf8" });
  return stdout.split("\n").filter((tool) => tool !== "");
}

const missing = [
  ...absent(TOOLS),
  ...BUILT.filter((file) => !existsSync(file)),
  ...(process.getuid?.() === 0 ? [] : ["root"]),
];
if (missing.length > 0) {
  throw new Error(
    `kernel tests need ${missing.join(", ")}; as root, scripts/setup installs the tools and scripts/build makes dist/`,
  );
}

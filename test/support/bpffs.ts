import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A BPF file system of the test's own; `unmount` frees every object that is pinned in it. */
export interface BpfFs {
  readonly path: string;
  unmount(): void;
}

export function mountBpfFs(): BpfFs {
  const path = mkdtempSync(join(tmpdir(), "tidegate-bpffs-"));
  execFileSync("mount", ["-t", "bpf", "bpf", path]);
  return {
    path,
    unmount() {
      execFileSync("umount", [path]);
      rmdirSync(path);
    },
  };
}

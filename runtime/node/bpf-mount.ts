import { mkdir, rmdir, statfs } from "node:fs/promises";
import { run } from "../command.js";
import type { Paths } from "../state.js";
import type { Part } from "../steps.js";

/** BPF_FS_MAGIC of linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;

/** The file system that pinned programs, maps and links live in while no process of ours runs. */
export function bpfMount(paths: Paths): Part {
  const folder = paths.bpf();
  const present = async () => (await statfs(folder).catch(() => undefined))?.type === BPF_FS_MAGIC;
  return {
    name: "BPF file system",
    present,
    up: async () => {
      await mkdir(folder, { recursive: true });
      await run("mount", ["-t", "bpf", "-o", "mode=0700", "bpf", folder]);
    },
    down: async () => {
      if (await present()) await run("umount", [folder]);
      await rmdir(folder).catch(() => undefined);
    },
  };
}

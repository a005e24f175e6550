import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Bytes of the whole machine: others that run meanwhile are in them, too. */
export interface Memory {
  /** By the kernel's own count: what BPF maps and programs hold. */
  readonly maps: number;
  readonly programs: number;
  readonly slab: number;
  readonly perCpu: number;
  /** tmpfs, such as /run. */
  readonly files: number;
}

/** /proc/meminfo (proc(5)), and what bpftool(8) knows of each map and program. */
export function memory(): Memory {
  const lines = readFileSync("/proc/meminfo", "utf8").matchAll(/^(\w+): +(\d+) kB$/gm);
  const found = new Map([...lines].map(([, name, kilobytes]) => [name, 1024 * Number(kilobytes)]));
  const of = (name: string) => found.get(name) ?? Number.NaN;
  return {
    maps: locked("map"),
    programs: locked("prog"),
    slab: of("Slab"),
    perCpu: of("Percpu"),
    files: of("Shmem"),
  };
}

/** What `after` has more than `before`, for each of `count`. */
export function memoryEach(before: Memory, after: Memory, count: number): Memory {
  const each = (what: keyof Memory) => (after[what] - before[what]) / count;
  return {
    maps: each("maps"),
    programs: each("programs"),
    slab: each("slab"),
    perCpu: each("perCpu"),
    files: each("files"),
  };
}

export function total({ maps, programs, slab, perCpu, files }: Memory): number {
  return maps + programs + slab + perCpu + files;
}

/** The resident set of a process (VmRSS in proc(5)). */
export function residentBytes(pid: number | undefined): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return 1024 * Number(kilobytes);
}

function locked(what: "map" | "prog"): number {
  const json = execFileSync("bpftool", ["-j", what, "show"], { encoding: "utf8", maxBuffer: 1 << 28 });
  const rows = JSON.parse(json) as readonly { readonly bytes_memlock?: number }[];
  return rows.reduce((sum, { bytes_memlock = 0 }) => sum + bytes_memlock, 0);
}

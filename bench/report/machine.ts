import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** What the kernel says of each defect of `DEFECTS`. */
  readonly mitigations: Readonly<Record<string, string>>;
}

/** Those defects whose mitigations make a call by pointer or a return slow, of which a packet in XDP meets a dozen. */
const DEFECTS = ["spectre_v2", "retbleed", "spec_rstack_overflow", "indirect_target_selection"] as const;

export function machine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model ?? "unknown CPU",
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    mitigations: Object.fromEntries(DEFECTS.map((defect) => [defect, mitigation(defect)])),
  };
}

/** A file in sysfs since Linux 4.15, or later for defects that were found later. */
function mitigation(defect: string): string {
  try {
    return readFileSync(`/sys/devices/system/cpu/vulnerabilities/${defect}`, "utf8").trim();
  } catch {
    return "not known to this kernel";
  }
}

export function machineText({ cpu, cpus, memoryGiB, kernel, node, mitigations }: Machine): string {
  const defects = Object.entries(mitigations).map(([defect, said]) => `${defect}: ${said}.`);
  return `${cpu}, ${cpus} CPUs, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}. ${defects.join(" ")}`;
}

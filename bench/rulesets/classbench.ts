import {
  ANY_PORT,
  type FlowPrefix,
  type FlowRule,
  hasPorts,
  isAnyPort,
  prefixAt,
  type Span,
} from "./flow-rule.js";

/** What was read of a file, and the lines that could not be. */
export interface ClassBenchSet {
  readonly rules: readonly FlowRule[];
  /** In words, each with the number of its line. */
  readonly problems: readonly string[];
}

const LINE =
  /^@(?<source>[\d.]+\/\d+)\s+(?<destination>[\d.]+\/\d+)\s+(?<sourcePorts>\d+ : \d+)\s+(?<destinationPorts>\d+ : \d+)\s+(?<protocol>0x[0-9a-fA-F]{2})\/(?<mask>0x[0-9a-fA-F]{2})(?:\s|$)/;

/**
 * Reads a filter set of ClassBench (Taylor and Turner, 2007): one rule a line,
 * `@SRC/LEN  DST/LEN  LOW : HIGH  LOW : HIGH  PROTOCOL/MASK  FLAGS/MASK`. Flags are ignored, as benchmarks do.
 */
export function readClassBench(text: string): ClassBenchSet {
  const rules: FlowRule[] = [];
  const problems: string[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const rule = readLine(line);
    if (typeof rule === "string") problems.push(`line ${index + 1}: ${rule}`);
    else rules.push(rule);
  });
  return { rules, problems };
}

function readLine(line: string): FlowRule | string {
  const parts = LINE.exec(line)?.groups;
  if (!parts) return "it is no ClassBench rule";
  const source = readPrefix(parts["source"] ?? "");
  const destination = readPrefix(parts["destination"] ?? "");
  const sourcePorts = readPorts(parts["sourcePorts"] ?? "");
  const destinationPorts = readPorts(parts["destinationPorts"] ?? "");
  const protocol = readProtocol(parts["protocol"] ?? "", parts["mask"] ?? "");
  if (!source || !destination) return "an address or a prefix length is out of range";
  if (!sourcePorts || !destinationPorts) return "its ports are no range within 0 and 65535";
  if (protocol === undefined) return "its protocol is neither one number nor all of them";
  const asksPorts = !isAnyPort(sourcePorts) || !isAnyPort(destinationPorts);
  if (asksPorts && protocol !== null && !hasPorts(protocol)) return `protocol ${protocol} has no ports`;
  return { source, destination, sourcePorts, destinationPorts, protocol };
}

function readPrefix(text: string): FlowPrefix | undefined {
  const [address = "", tail = ""] = text.split("/");
  const parts = address.split(".").map(Number);
  const length = Number(tail);
  if (parts.length !== 4 || parts.some((part) => !(part <= 255)) || length > 32) return undefined;
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  return prefixAt(value, length);
}

function readPorts(text: string): Span | undefined {
  const [low = Number.NaN, high = Number.NaN] = text.split(" : ").map(Number);
  return low <= high && high <= ANY_PORT.high ? { low, high } : undefined;
}

/** A mask of all bits, or of none: then it is any protocol. */
function readProtocol(value: string, mask: string): number | null | undefined {
  switch (Number(mask)) {
    case 0xff:
      return Number(value);
    case 0:
      return null;
    default:
      return undefined;
  }
}

import pc from "picocolors";
import type { WatchedPacket } from "../../../runtime/watch/judge.js";
import type { WatchSummary } from "../../../runtime/watch/watch.js";
import type { Family } from "../../compiler/ir/address.js";
import { ALONE, decode } from "../../compiler/semantics/decode.js";
import { stepOverEthernet } from "../../compiler/semantics/ethernet.js";
import { summarize } from "../../compiler/semantics/packet-summary.js";
import { printable } from "./underline.js";

/** `12:00:01.000042 acme drop mitigate bogons:7 udp 10.1.2.3:4000 > 203.0.113.100:9 ttl=64 len=29`. */
export function renderWatched(packet: WatchedPacket): string {
  const { at, customer, verdict, stage } = packet;
  const words = [
    pc.dim(timeOfDay(at)),
    pc.bold(customer ?? "-"),
    COLOURS[verdict](verdict),
    stage,
    deciderText(packet),
    printable(textOf(packet)),
  ];
  return words.filter((word) => word !== "").join(" ");
}

/** One row of `watch --json` (docs/watch.md). */
export function watchedJson(packet: WatchedPacket): object {
  const { at, customer, generation, verdict, stage, rule, line, file, reason, where } = packet;
  const ip = ipOf(packet);
  return {
    at: new Date(Number(at / 1_000_000n)).toISOString(),
    packet: textOf(packet),
    verdict,
    stage,
    rule,
    line,
    file: line === null ? null : file,
    customer,
    generation,
    reason,
    where,
    hex: ip ? Buffer.from(ip.bytes.subarray(0, ip.known)).toString("hex") : null,
  };
}

/** What was not shown, and why. */
export function renderSummary({ drops, tracesLost }: WatchSummary, shown: number): string {
  const { seen, taken, lost } = drops;
  const parts = [
    `${shown} ${shown === 1 ? "packet" : "packets"} shown`,
    `XDP dropped ${seen} of those watched, and sampled ${taken}`,
    ...(lost > 0 ? [pc.yellow(`${lost} samples lost`)] : []),
    ...(tracesLost > 0 ? [pc.yellow(`traces of firewalls lost ${tracesLost} times`)] : []),
  ];
  return parts.join("; ");
}

const COLOURS = {
  drop: pc.red,
  reject: pc.red,
  malformed: pc.yellow,
  allow: pc.green,
} as const satisfies Record<WatchedPacket["verdict"], (text: string) => string>;

function deciderText({ stage, rule, line, reason }: WatchedPacket): string {
  if (reason !== null) return `(${reason})`;
  if (stage === "root") return "";
  return rule === null ? "default" : `${rule}:${line}`;
}

function textOf(packet: WatchedPacket): string {
  const ip = ipOf(packet);
  if (!ip) return `a frame of ${packet.length ?? packet.bytes.length} bytes`;
  const { bytes, family, vlan, known } = ip;
  const decoded = decode(bytes, family, { ...ALONE, vlan });
  if (decoded.kind === "packet") return summarize(decoded.packet, known);
  return `a packet of ${bytes.length} bytes: ${decoded.reason}`;
}

interface KeptIp {
  /** As long as the packet was; zeros stand for what was not kept. */
  readonly bytes: Uint8Array;
  readonly known: number;
  readonly family: Family | undefined;
  readonly vlan: number | null;
}

function ipOf({ link, bytes, length }: WatchedPacket): KeptIp | undefined {
  if (link === "ip") return { ...filled(bytes, ownLength(bytes)), family: undefined, vlan: null };
  const carried = stepOverEthernet(bytes);
  if (!carried) return undefined;
  const missing = Math.max(0, (length ?? 0) - bytes.length);
  const { family, vlan } = carried;
  return { ...filled(carried.bytes, carried.bytes.length + missing), family, vlan };
}

function filled(known: Uint8Array, length: number): Pick<KeptIp, "bytes" | "known"> {
  const bytes = new Uint8Array(Math.max(known.length, length));
  bytes.set(known);
  return { bytes, known: known.length };
}

/** As the IP header says. */
function ownLength(bytes: Uint8Array): number {
  const word = (at: number) => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  return (bytes[0] ?? 0) >> 4 === 6 ? 40 + word(4) : word(2);
}

/** In the time zone of who looks, to the microsecond. */
function timeOfDay(at: bigint): string {
  const date = new Date(Number(at / 1_000_000n));
  const two = (number: number) => String(number).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${time}.${String((at / 1000n) % 1_000_000n).padStart(6, "0")}`;
}

import pc from "picocolors";
import type { Policy } from "../../compiler/ir/policy.js";
import { decode } from "../../compiler/semantics/decode.js";
import { formatPacket } from "../../compiler/semantics/packet-format.js";
import { summarize } from "../../compiler/semantics/packet-summary.js";
import type { Judged } from "../captures/judge.js";
import type { CapturedIp } from "../captures/packets.js";
import { renderJourney } from "./journey.js";
import type { Sources } from "./sources.js";
import { ruleLine, traceJson } from "./trace-json.js";
import { printable } from "./underline.js";

/** The row of one packet (docs/explain.md). `packet` can be given to `--packets` again, and is judged there as it was here. */
export function capturedJson(policy: Policy, { packet, outcome, trace, doubt }: Judged): object {
  const place = { number: packet.number, at: Number(packet.at) };
  const text = packet.kind === "ip" ? exactText(packet, packet.at) : null;
  if (trace && text !== null) return { ...place, ...traceJson(policy, text, trace) };
  const rule = doubt?.rule?.name ?? null;
  const inMitigate = policy.mitigate.some(({ name }) => name === rule);
  return {
    ...place,
    packet: text,
    verdict: outcome === "notIp" ? "foreign" : outcome,
    stage: rule === null ? "root" : inMitigate ? "mitigate" : "firewall",
    rule,
    tunnel: null,
    ...ruleLine(policy, rule),
  };
}

/** The packet without padding, its tag and its time. */
function exactText({ bytes, family, surroundings }: CapturedIp, at: bigint): string {
  const decoded = decode(bytes, family, surroundings);
  const own = decoded.kind === "packet" ? decoded.packet.bytes : bytes;
  const vlan = surroundings.vlan === null ? "" : ` vlan=${surroundings.vlan & 0xfff}`;
  return `${formatPacket(own)}${vlan} at=${at}`;
}

export function renderCaptured(policy: Policy, sources: Sources, judged: Judged): string {
  const { packet, trace } = judged;
  const heading = `#${packet.number}  ${seconds(packet.at)}  ${textOf(judged)}`;
  return trace
    ? renderJourney(policy, sources, heading, trace)
    : `${pc.bold(printable(heading))}\n  root      ${whyUnjudged(judged)}`;
}

function whyUnjudged({ outcome, doubt }: Judged): string {
  if (outcome === "notIp") return "neither IPv4 nor IPv6, left alone";
  const rule = doubt?.rule;
  const missing = rule ? `what ${rule.name}:${rule.span.line} asks for` : "a part of its headers";
  return `${pc.yellow("unclear")}: the capture did not keep ${missing}`;
}

function textOf({ packet, doubt }: Judged): string {
  if (packet.kind !== "ip") return `a frame of ${packet.length} bytes`;
  const { bytes, known, family, surroundings } = packet;
  const decoded = decode(bytes, family, surroundings);
  if (decoded.kind === "packet" && doubt?.rule !== null) return summarize(decoded.packet, known);
  return `a packet of ${bytes.length} bytes${known < bytes.length ? `, of which ${known} were captured` : ""}`;
}

/** Nanoseconds as seconds, to the microsecond. */
function seconds(at: bigint): string {
  return `${at / 1_000_000_000n}.${String((at / 1000n) % 1_000_000n).padStart(6, "0")}`;
}

import type { Test } from "../../compiler/ir/expr.js";
import { HEADERS, type Header } from "../../compiler/ir/headers.js";
import type { Policy, Rule } from "../../compiler/ir/policy.js";
import { bytesNeeded, WIRE_FIELDS } from "../../compiler/ir/wire.js";
import type { Decoded, MalformedReason, Packet } from "../../compiler/semantics/decode.js";
import { certainly } from "../../compiler/semantics/early.js";
import type { Trace } from "../../compiler/semantics/evaluate.js";
import { IPV6_HEADER, walkExtensions } from "../../compiler/semantics/extensions.js";
import { readNumber } from "../../compiler/semantics/fields.js";
import { headerStart } from "../../compiler/semantics/headers.js";
import { matches } from "../../compiler/semantics/match.js";
import type { CapturedIp } from "./packets.js";

/** What cannot be told of a packet that was cut: whether `rule` matches, or (null) where its headers end. */
export interface Doubt {
  readonly rule: Rule | null;
}

/** Whether bytes that the capture did not keep could have changed the trace; null: they could not. */
export function doubtOf(
  policy: Policy,
  { bytes, known }: CapturedIp,
  decoded: Decoded,
  trace: Trace,
): Doubt | null {
  if (known >= bytes.length) return null;
  if (decoded.kind === "malformed") {
    return known >= toldBy(bytes, decoded.reason) ? null : { rule: null };
  }
  const { packet } = decoded;
  if (known >= packet.bytes.length) return null;
  if (!headersKnown(packet, known) || (policy.firewall.stateful && isFragment(packet))) return { rule: null };
  const ask = (test: Test) =>
    isKnown(test, packet, known) ? matches(test, packet, policy.lists) : undefined;
  const doubtful = trace.steps.find(({ rule }) => certainly(rule.match, ask) === undefined);
  return doubtful ? { rule: doubtful.rule } : null;
}

const IPV4_HEADER = 20;
const AUTHENTICATION = 51;

/** How many bytes must be known for a packet to be malformed whatever the others are. */
function toldBy(bytes: Uint8Array, reason: MalformedReason): number {
  if ((bytes[0] ?? 0) >> 4 !== 6) return IPV4_HEADER;
  return reason === "it is longer than the frame" ? IPV6_HEADER : bytes.length;
}

/** The IP header and the extension headers, of which each says where the next one is. */
function headersKnown({ family, bytes }: Packet, known: number): boolean {
  if (family === 4) return known >= IPV4_HEADER && known >= ((bytes[0] ?? 0) & 0x0f) * 4;
  if (known < IPV6_HEADER) return false;
  const chain = walkExtensions(bytes);
  // Behind an AH the walk goes on to where the chain does not tell.
  return typeof chain !== "string" && chain.protocol !== AUTHENTICATION && chain.end <= known;
}

/** A stateful firewall judges what all of a datagram's fragments hold together. */
export function isFragment(packet: Packet): boolean {
  return packet.fragmentHeader !== null || (readNumber(packet, WIRE_FIELDS["ip4.frag"]) ?? 0n) !== 0n;
}

/** Bytes of the header around it that say where a header is: TCP's data offset, all options at most, GRE's flags. */
const FOUND_BY: Partial<Record<Header, number>> = { tcpPayload: 20, tcpMss: 60, greKey: 2 };

/** Whether the bytes that the test asks for, and those that say where they are, are among the first `known`. */
function isKnown(test: Test, packet: Packet, known: number): boolean {
  // Addresses stand in the IP header, and without that nothing is asked.
  if (test.kind === "address" || test.kind === "list") return true;
  const { field } = test;
  const { header } = field;
  if (header === "proto" || header === "vlan" || header === "ct") return true;
  const within: Header | null = HEADERS[header].within;
  const around = within === "tcp" || within === "gre" ? headerStart(packet, within) : undefined;
  const length = packet.bytes.length;
  if (around !== undefined && Math.min(around + (FOUND_BY[header] ?? 0), length) > known) return false;
  const start = headerStart(packet, header);
  if (start === undefined) return true;
  const end = start + bytesNeeded(field);
  return end <= known || end > length;
}

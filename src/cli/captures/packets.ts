import type { Family } from "../../compiler/ir/address.js";
import { ALONE, type Surroundings } from "../../compiler/semantics/decode.js";
import type { CapturedFrame } from "./frame.js";
import { LONGEST_LINK_HEADER, linkPayload } from "./link.js";

/** The IP packet of a frame; valid until the next one is read. */
export interface CapturedIp {
  readonly kind: "ip";
  /** As long as on the wire: zeros stand for what the capture did not keep. */
  readonly bytes: Uint8Array;
  /** So many of the bytes were captured. */
  readonly known: number;
  readonly family: Family | undefined;
  readonly surroundings: Surroundings;
}

/** `cut`: the capture did not even keep what says whether it is IP. */
export type CapturedPacket = {
  /** Its number in the capture, from 1. */
  readonly number: number;
  /** In nanoseconds since the first packet. */
  readonly at: bigint;
  /** On the wire, with the headers of its link. */
  readonly length: number;
} & (CapturedIp | { readonly kind: "other" | "cut" });

/** The packets in the frames of a capture, in the order in which it has them; time does not run backwards in it. */
export function* capturedPackets(frames: Iterable<CapturedFrame>): Generator<CapturedPacket> {
  let first: bigint | null = null;
  let number = 0;
  let at = 0n;
  for (const frame of frames) {
    first ??= frame.at;
    const since = frame.at === null || first === null ? 0n : frame.at - first;
    if (since > at) at = since;
    number += 1;
    yield { number, at, length: frame.originalLength, ...contentOf(frame) };
  }
}

function contentOf(frame: CapturedFrame): CapturedIp | { readonly kind: "other" | "cut" } {
  const { bytes: captured, originalLength } = frame;
  const payload = linkPayload(frame);
  const missing = originalLength - captured.length;
  if (!payload) return { kind: missing > 0 && captured.length < LONGEST_LINK_HEADER ? "cut" : "other" };
  return {
    kind: "ip",
    bytes: missing === 0 ? payload.bytes : filled(payload.bytes, missing),
    known: payload.bytes.length,
    family: payload.family,
    surroundings: { ...ALONE, vlan: payload.vlan },
  };
}

/** Longer than any IP packet: what a damaged capture says of a length must not fill the memory. */
const LONGEST = 65_575 + 64;

function filled(bytes: Uint8Array, missing: number): Uint8Array {
  const whole = new Uint8Array(Math.max(bytes.length, Math.min(bytes.length + missing, LONGEST)));
  whole.set(bytes);
  return whole;
}

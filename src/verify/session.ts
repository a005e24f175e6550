import type { Built } from "../compiler/analysis/packets/build.js";
import { type Policy, rulesOf } from "../compiler/ir/policy.js";
import type { Surroundings } from "../compiler/semantics/decode.js";

/** One packet of a session. */
export interface SessionPacket extends Built {
  readonly why: string;
  /** Nanoseconds after the session's first packet. */
  readonly after: bigint;
}

/** Packets that belong together because limits remember them; when it begins, all limits are at rest. */
export interface Session {
  /** The first packet comes so many times at once, to use a limit up. */
  readonly copies: number;
  readonly packets: readonly SessionPacket[];
}

interface Timed {
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
  readonly at: bigint;
  readonly why: string;
}

export function single(built: Built, why: string): Session {
  const { bytes, surroundings } = built;
  return { copies: 1, packets: [{ bytes, surroundings, why, after: 0n }] };
}

/** Arrival times of a limit must fit 64 bits with room to spare. */
const LAST = 1n << 61n;
const FIRST = 1_000_000_000n;

/** Nanoseconds after which no limit of the policy remembers anything, whatever came. */
export function restOf(policy: Policy): bigint {
  const spans = rulesOf(policy).map(({ action }) => {
    return action.kind === "limit" ? (action.limit.burst + 2n) * action.limit.interval : 0n;
  });
  return spans.reduce((longest, span) => (span > longest ? span : longest), 1000n);
}

/** One session after the other, with a rest between them. */
export function inTime(sessions: readonly Session[], rest: bigint): readonly Timed[] {
  const most = (LAST - FIRST) / BigInt(sessions.length + 1);
  let at = FIRST;
  return sessions.flatMap(({ copies, packets }) => {
    const start = at;
    const timed = packets.flatMap(({ bytes, surroundings, why, after }, index) => {
      at = start + after;
      const one = { bytes, surroundings, at, why };
      return index === 0 && copies > 1 ? new Array<Timed>(copies).fill(one) : [one];
    });
    at += rest < most ? rest : most;
    return timed;
  });
}

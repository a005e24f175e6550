import { assertNever } from "../diagnostics/invariant.js";
import type { Limit } from "../ir/policy.js";
import type { Packet } from "./decode.js";

/**
 * The theoretical arrival time (nanoseconds) of each key of each limit. `evaluate` writes it, as a kernel map is
 * written: packets must be judged in the order of their arrival. A key that is not in it has TAT 0.
 * The table is unbounded here; kernel tables are bounded as docs/semantics.md says.
 */
export type LimitState = Map<string, bigint>;

export function newLimitState(): LimitState {
  return new Map();
}

/** Takes out what says no more at `now` or later than its absence does: an arrival time that has passed. */
export function forgetIdle(state: LimitState, now: bigint): void {
  for (const [key, arrival] of state) if (arrival <= now) state.delete(key);
}

/** GCRA, virtual scheduling (ITU-T I.371): takes one packet's allowance at `now`, or says "over" and takes nothing. */
export function takeAllowance(
  state: LimitState,
  rule: string,
  limit: Limit,
  packet: Packet,
  now: bigint,
): "over" | "under" {
  const key = `${rule} ${keyOf(limit, packet)}`;
  const arrival = state.get(key) ?? 0n;
  if (arrival > now + (limit.burst - 1n) * limit.interval) return "over";
  state.set(key, (arrival > now ? arrival : now) + limit.interval);
  return "under";
}

function keyOf(limit: Limit, packet: Packet): string {
  switch (limit.per) {
    case null:
      return "all";
    case "ip.src":
      return `${packet.family}:${packet.source.value}`;
    case "ip.dst":
      return `${packet.family}:${packet.destination.value}`;
    default:
      return assertNever(limit.per);
  }
}

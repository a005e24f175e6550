import { assertNever } from "../diagnostics/invariant.js";
import type { Limit } from "../ir/policy.js";
import type { Packet } from "./decode.js";
import type { State } from "./state.js";

/** GCRA, virtual scheduling (ITU-T I.371): takes one packet's allowance at `now`, or says "over" and takes nothing. */
export function takeAllowance(
  { arrivals }: State,
  rule: string,
  limit: Limit,
  packet: Packet,
  now: bigint,
): "over" | "under" {
  const key = `${rule} ${keyOf(limit, packet)}`;
  const arrival = arrivals.get(key) ?? 0n;
  if (arrival > now + (limit.burst - 1n) * limit.interval) return "over";
  arrivals.set(key, (arrival > now ? arrival : now) + limit.interval);
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

import type { Built } from "../compiler/analysis/packets/build.js";
import type { Limit, Rule } from "../compiler/ir/policy.js";
import { decode } from "../compiler/semantics/decode.js";
import type { Goal } from "./goals.js";
import type { Session } from "./session.js";

/** A packet that comes when the limit is used up, and why. */
export interface Asked {
  readonly found: Built;
  readonly why: string;
}

/**
 * Uses a limit up with copies of `base`, and then asks: one more, `others` at the same time, and `base` again just before
 * and just when the next packet is allowed. null: that takes more than `most` copies.
 */
export function exhausting(
  base: Built,
  { burst, interval }: Limit,
  most: number,
  name: string,
  others: readonly Asked[],
): Session | null {
  if (burst > BigInt(most)) return null;
  const again = (after: bigint, what: string) => ({ ...base, after, why: `${name}: ${what}` });
  const beside = others.map(({ found, why }) => ({ ...found, after: 0n, why: `${why}, over the rate` }));
  return {
    copies: Number(burst),
    packets: [
      again(0n, `the burst of ${burst}`),
      again(0n, "one more than the burst"),
      ...beside,
      again(interval - 1n, "a nanosecond before the next is allowed"),
      again(interval, "when the next is allowed"),
    ],
  };
}

/** What a packet must have so that it shares the allowance of `base`. */
export function sameKey({ action, span }: Rule, base: Built): readonly Goal[] {
  const decoded = decode(base.bytes);
  if (action.kind !== "limit" || action.limit.per === null || decoded.kind === "malformed") return [];
  const { source, destination } = decoded.packet;
  const field = action.limit.per;
  const { family, value } = field === "ip.src" ? source : destination;
  const needs =
    family === 4 ? ({ header: "ip4", bytes: 20 } as const) : ({ header: "ip6", bytes: 40 } as const);
  const ranges = [{ low: value, high: value }];
  return [{ expr: { kind: "address", field, family, ranges, needs, span }, wanted: true }];
}

import type { Family } from "../../compiler/ir/address.js";
import type { Limit, RateUnit, Rule } from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { limitChain, limitSet, ruleCounter } from "./names.js";
import { addressText } from "./words.js";

export interface LimitRule {
  readonly rule: Rule;
  readonly limit: Limit;
}

const FAMILIES = [4, 6] as const satisfies readonly Family[];

/** Keys of one family that a limit can hold at once (docs/semantics.md, "Limits"). */
const MAX_KEYS = 65_536;

const UNITS = { s: "second", m: "minute", h: "hour" } as const satisfies Record<RateUnit, string>;

/** The keys of a limit: one dynamic set a family, each key with a token bucket of its own. */
export function emitLimitSets(text: Text, { rule, limit }: LimitRule): void {
  if (limit.per === null) return;
  for (const family of FAMILIES) {
    text.line();
    text.block(`set ${limitSet(rule.name, family)} {`, () => {
      text.line(`type ipv${family}_addr`);
      text.line(`size ${MAX_KEYS}`);
      text.line("flags dynamic,timeout");
      text.line(`timeout ${duration(secondsUntilFull(limit))}`);
    });
  }
}

/**
 * Under the rate: back to the rule behind; over it, or where the set takes no further key (nft_dynset_eval then ends the
 * rule): counted and dropped. One packet is judged once, also where several lines lead here.
 */
export function emitLimitChain(text: Text, { rule, limit }: LimitRule): void {
  const bucket = `limit rate ${limit.rate.count}/${UNITS[limit.rate.unit]} burst ${limit.burst} packets`;
  const { per } = limit;
  text.line();
  text.block(`chain ${limitChain(rule.name)} {`, () => {
    if (per === null) text.line(`${bucket} return`);
    else {
      for (const family of FAMILIES) {
        text.line(`update @${limitSet(rule.name, family)} { ${addressText(per, family)} ${bucket} } return`);
      }
    }
    text.line(`counter name ${ruleCounter(rule.name)} drop comment "${rule.name}"`);
  });
}

/** A bucket that is full again is as good as none, so its key may be forgotten then, and not before. */
function secondsUntilFull({ interval, burst }: Limit): bigint {
  const second = 1_000_000_000n;
  return (interval * burst + second - 1n) / second;
}

/** `1d2h`: nft 1.0.6 reads at most eight digits before a unit. */
function duration(seconds: bigint): string {
  const parts = [
    [seconds / 86_400n, "d"],
    [(seconds / 3_600n) % 24n, "h"],
    [(seconds / 60n) % 60n, "m"],
    [seconds % 60n, "s"],
  ] as const;
  return parts.flatMap(([count, unit]) => (count > 0n ? [`${count}${unit}`] : [])).join("");
}

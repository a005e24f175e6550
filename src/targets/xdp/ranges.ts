import { invariant } from "../../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS, addressBytes, type Family, rangeAsPrefix } from "../../compiler/ir/address.js";
import {
  complement,
  type Intervals,
  type Range,
  sameIntervals,
  universe,
} from "../../compiler/ir/intervals.js";
import { type Condition, call, chain, comparison, FALSE, not, TRUE } from "./condition.js";

/** A set of numbers, or the few that it leaves out, as in `!= 80`. */
interface Spelling {
  readonly negated: boolean;
  readonly ranges: Intervals;
}

/** The field is there: the caller guards it. So the complement's complement is exact. */
function spell(ranges: Intervals, bits: number): Spelling {
  const others = complement(ranges, bits);
  const few = others.length === 1 || others.every(({ low, high }) => low === high);
  return few && others.length < ranges.length
    ? { negated: true, ranges: others }
    : { negated: false, ranges };
}

/** How many ranges `numberIn` or `addressIn` compares with for this set. */
export function comparisonsOf(ranges: Intervals, bits: number): number {
  return spell(ranges, bits).ranges.length;
}

/** C: the unsigned number `value`, of `bits` bits, lies in one of the ranges. */
export function numberIn(value: string, ranges: Intervals, bits: number, format: NumberFormat): Condition {
  const max = (1n << BigInt(bits)) - 1n;
  return anyOf(ranges, bits, (range, negated) => {
    const low = format(range.low);
    const high = format(range.high);
    if (range.low === range.high) return comparison(`${value} ${negated ? "!=" : "=="} ${low}`);
    if (range.low === 0n) return comparison(`${value} ${negated ? ">" : "<="} ${high}`);
    if (range.high === max) return comparison(`${value} ${negated ? "<" : ">="} ${low}`);
    return negatedIf(negated, call(`tg_between(${value}, ${low}, ${high})`));
  });
}

export type NumberFormat = (value: bigint) => string;

export function decimal(value: bigint): string {
  return value.toString();
}

/** C: the address `value` lies in one of the ranges. */
export function addressIn(value: string, family: Family, ranges: Intervals): Condition {
  return anyOf(ranges, ADDRESS_BITS[family], (range, negated) => {
    if (family === 4 && range.low === range.high) {
      return comparison(`${value} ${negated ? "!=" : "=="} ${address4(range.low)}`);
    }
    return negatedIf(negated, family === 4 ? in4(value, range) : in6(`&${value}`, range));
  });
}

function anyOf(
  ranges: Intervals,
  bits: number,
  one: (range: Range, negated: boolean) => Condition,
): Condition {
  if (ranges.length === 0) return FALSE;
  if (sameIntervals(ranges, universe(bits))) return TRUE;
  const { negated, ranges: spelled } = spell(ranges, bits);
  return chain(
    negated ? "&&" : "||",
    spelled.map((range) => one(range, negated)),
  );
}

function in4(value: string, range: Range): Condition {
  const prefix = rangeAsPrefix(4, range);
  return prefix
    ? call(`tg_in4(${value}, ${address4(prefix.base)}, ${prefix.length})`)
    : call(`tg_between(${value}, ${address4(range.low)}, ${address4(range.high)})`);
}

function in6(pointer: string, range: Range): Condition {
  const prefix = rangeAsPrefix(6, range);
  if (!prefix) return call(`tg_between6(${pointer}, ${address6(range.low)}, ${address6(range.high)})`);
  return prefix.length === ADDRESS_BITS[6]
    ? call(`tg_is6(${pointer}, ${address6(prefix.base)})`)
    : call(`tg_in6(${pointer}, ${address6(prefix.base)}, ${prefix.length})`);
}

function address4(value: bigint): string {
  return `TG_IP4(${addressBytes({ family: 4, value }).join(", ")})`;
}

function address6(value: bigint): string {
  const bytes = [...addressBytes({ family: 6, value })];
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  invariant(bytes.length === 16, "an IPv6 address has 16 bytes");
  return `TG_IP6(${groups.map((group) => (group === 0 ? "0" : `0x${group.toString(16)}`)).join(", ")})`;
}

function negatedIf(negated: boolean, condition: Condition): Condition {
  return negated ? not(condition) : condition;
}

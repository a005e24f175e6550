import { invariant } from "../../compiler/diagnostics/invariant.js";
import {
  ADDRESS_BITS,
  type Family,
  formatAddress,
  formatPrefix,
  rangeAsPrefix,
} from "../../compiler/ir/address.js";
import { complement, type Intervals, type Range } from "../../compiler/ir/intervals.js";

/** Writes one range as nft does: `80`, `20-21`, `10.0.0.0/8`. */
export type Spell = (range: Range) => string;

export const decimal: Spell = ({ low, high }) => (low === high ? `${low}` : `${low}-${high}`);

export const hexadecimal: Spell = ({ low, high }) => (low === high ? hex(low) : `${hex(low)}-${hex(high)}`);

export function hex(value: bigint): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

/** An address, a prefix, or where a range is neither, its first and last address. */
export function spellAddresses(family: Family): Spell {
  return (range) => {
    const prefix = rangeAsPrefix(family, range);
    const at = (value: bigint) => formatAddress({ family, value });
    if (!prefix) return `${at(range.low)}-${at(range.high)}`;
    return prefix.length === ADDRESS_BITS[family] ? at(range.low) : formatPrefix(prefix);
  };
}

interface Named {
  readonly negated: boolean;
  readonly ranges: Intervals;
}

/** The fewer: what is asked for, or what is left out. */
function named(ranges: Intervals, bits: number): Named {
  const others = complement(ranges, bits);
  return others.length > 0 && others.length < ranges.length
    ? { negated: true, ranges: others }
    : { negated: false, ranges };
}

/** Whether `comparison` writes a set with ranges in it. */
export function isSetOfRanges(asked: Intervals, bits: number): boolean {
  const { ranges } = named(asked, bits);
  return ranges.length > 1 && ranges.some(({ low, high }) => low !== high);
}

/** Whether `comparison` writes `!=` and one value. */
export function leavesOutOne(asked: Intervals, bits: number): boolean {
  const { negated, ranges } = named(asked, bits);
  return negated && ranges.length === 1 && ranges.every(({ low, high }) => low === high);
}

/**
 * `>= 1024` for all numbers from 1024 on, `<= 1023` for all up to it: one comparison in the kernel, where nft makes two of
 * `1024-65535`. null: more must be said.
 */
export function boundText(asked: Intervals, bits: number): string | null {
  const [range, ...others] = asked;
  if (!range || others.length > 0 || range.low === range.high) return null;
  const last = 2n ** BigInt(bits) - 1n;
  if (range.low === 0n) return range.high === last ? null : `<= ${range.high}`;
  return range.high === last ? `>= ${range.low}` : null;
}

/**
 * The right-hand side of a match: `80`, `{ 22, 80 }`, `!= 80`. An absent field makes nft's `!=` false like any other
 * comparison (the load ends the rule), so naming the fewer numbers that are left out says the same.
 * `equals` is written before a single value: only bitmask types such as tcp flags, and what has a mask, need it.
 */
export function comparison(asked: Intervals, bits: number, spell: Spell, equals: "" | "== " = ""): string {
  const { negated, ranges } = named(asked, bits);
  const [first] = ranges;
  invariant(first, "a comparison with nothing is no comparison");
  const operator = negated ? "!= " : first.low === first.high ? equals : "";
  if (ranges.length === 1) return operator + spell(first);
  return `${negated ? "!= " : ""}{ ${ranges.map(spell).join(", ")} }`;
}

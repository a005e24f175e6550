import { invariant } from "../../compiler/diagnostics/invariant.js";
import { type Intervals, intervals, type Range } from "../../compiler/ir/intervals.js";
import { WIRE_FIELDS, type WireField } from "../../compiler/ir/wire.js";
import { numberText, wordFor } from "./words.js";

/**
 * IPv6's fragment header. nft finds it wherever it stands in the chain (ipv6_find_hdr), but has no raw loads there: of the
 * 16 bits of offset, reserved and "more fragments" it has three words, of 13, 2 and 1 bits.
 */

/** Alternatives, each a list of matches, that say "the field lies in `ranges`", which are not empty. */
export function fragmentHeaderTexts(field: WireField, ranges: Intervals): readonly (readonly string[])[] {
  return field.name === "fragment6.field"
    ? bySmallBits(ranges).flatMap(alternatives)
    : [[text(field, ranges)]];
}

/** The offsets behind which exactly the same of the 8 values of the lower 3 bits are asked for. */
interface Group {
  /** Bit n: value n of the lower 3 bits. */
  readonly small: number;
  readonly offsets: Intervals;
}

const ALL_SMALL = 0xff;

function bySmallBits(ranges: Intervals): readonly Group[] {
  const groups = new Map<number, Range[]>();
  const add = (small: number, range: Range) => {
    const offsets = groups.get(small) ?? [];
    groups.set(small, offsets);
    offsets.push(range);
  };
  const partly = new Map<bigint, number>();
  for (const { low, high } of ranges) {
    const [first, last] = [low >> 3n, high >> 3n];
    if (first + 1n < last) add(ALL_SMALL, { low: first + 1n, high: last - 1n });
    for (const offset of new Set([first, last])) {
      const values = smallBits(offset === first ? low & 7n : 0n, offset === last ? high & 7n : 7n);
      partly.set(offset, (partly.get(offset) ?? 0) | values);
    }
  }
  for (const [offset, small] of partly) add(small, { low: offset, high: offset });
  return [...groups].map(([small, offsets]) => ({ small, offsets: intervals(offsets) }));
}

/** The bits of the values from `low` to `high`. */
function smallBits(low: bigint, high: bigint): number {
  return Number((2n << high) - (1n << low));
}

const OFFSET = WIRE_FIELDS["fragment6.offset"];
const MORE = WIRE_FIELDS["fragment6.more"];

function alternatives({ small, offsets }: Group): readonly (readonly string[])[] {
  const offset = text(OFFSET, offsets);
  if (small === ALL_SMALL) return [[offset]];
  return [0, 1].flatMap((more) => {
    const reserved = [0, 1, 2, 3].filter((value) => (small & (1 << (2 * value + more))) !== 0);
    const bit = text(MORE, [{ low: BigInt(more), high: BigInt(more) }]);
    if (reserved.length === 0) return [];
    return [
      reserved.length === 4 ? [offset, bit] : [offset, `frag reserved2 { ${reserved.join(", ")} }`, bit],
    ];
  });
}

function text(field: WireField, ranges: Intervals): string {
  const word = wordFor(field);
  invariant(word, `nft has a word for ${field.name}`);
  return numberText(word, field, ranges);
}

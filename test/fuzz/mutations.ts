import fc from "fast-check";
import { ADDRESSES, EXPRESSION_WORDS, NUMBERS, POLICY_WORDS } from "./words.js";

/** One change of a text at a place, given as a part of its length in 2^-32. */
type Edit = (text: string) => string;

const place = fc.nat(0xffff_ffff);
/** Short ones mostly: long ones leave nothing to try. */
const length = fc.oneof(
  { weight: 4, arbitrary: fc.nat(4) },
  { weight: 2, arbitrary: fc.nat(40) },
  fc.nat(400),
);

const word = fc.constantFrom(...POLICY_WORDS, ...EXPRESSION_WORDS, ...NUMBERS, ...ADDRESSES);
const put = fc.oneof(
  { weight: 5, arbitrary: word },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 3 }) },
);

function at(text: string, part: number): number {
  return Math.floor((part / 2 ** 32) * (text.length + 1));
}

const replace = fc.tuple(place, length, put).map(
  ([from, gone, by]): Edit =>
    (text) => {
      const start = at(text, from);
      return text.slice(0, start) + by + text.slice(start + gone);
    },
);
const remove = fc.tuple(place, length).map(
  ([from, gone]): Edit =>
    (text) => {
      const start = at(text, from);
      return text.slice(0, start) + text.slice(start + gone);
    },
);
/** What stands somewhere is written elsewhere, once or often. */
const copy = fc.tuple(place, place, length, fc.constantFrom(1, 1, 1, 2, 3, 10, 100, 1000)).map(
  ([from, to, size, times]): Edit =>
    (text) => {
      const start = at(text, from);
      const target = at(text, to);
      return text.slice(0, target) + text.slice(start, start + size).repeat(times) + text.slice(target);
    },
);
const flipBit = fc.tuple(place, fc.nat(7)).map(
  ([from, bit]): Edit =>
    (text) => {
      const bytes = Buffer.from(text);
      const offset = Math.min(bytes.length - 1, Math.floor((from / 2 ** 32) * bytes.length));
      if (offset >= 0) bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
      return bytes.toString();
    },
);
/** One word of a text by another: keeps more of its structure than any other. */
const swapWord = fc.tuple(place, word).map(
  ([from, by]): Edit =>
    (text) => {
      const start = at(text, from);
      const next = /[\w.:/-]+|[^\s\w]/g;
      next.lastIndex = start;
      const found = next.exec(text);
      return found ? text.slice(0, found.index) + by + text.slice(found.index + found[0].length) : text;
    },
);
const truncate = place.map(
  (from): Edit =>
    (text) =>
      text.slice(0, at(text, from)),
);

const edit = fc.oneof(
  { weight: 6, arbitrary: swapWord },
  { weight: 4, arbitrary: replace },
  { weight: 3, arbitrary: flipBit },
  { weight: 2, arbitrary: remove },
  { weight: 2, arbitrary: copy },
  { weight: 1, arbitrary: truncate },
);

/** What mutation makes of a text; no longer than a person could have written. */
const MOST_CHARACTERS = 60_000;

/** Changes of a text, mostly one or two: many would only try the parser. */
export const edits: fc.Arbitrary<Edit> = fc
  .oneof(
    { weight: 3, arbitrary: fc.array(edit, { minLength: 1, maxLength: 2 }) },
    fc.array(edit, { minLength: 1, maxLength: 12 }),
  )
  .map((all) => (text) => all.reduce((done, one) => one(done).slice(0, MOST_CHARACTERS), text));

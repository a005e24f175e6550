import { type Box, boxesMeet } from "../../../compiler/analysis/boxes.js";
import type { Ranges } from "../../../compiler/analysis/ranges.js";
import type { Asked, Items } from "./items.js";

/** The rules among `some` that may match a packet which one of `others`, an earlier rule or any, may match too. */
export function rivalled(
  some: ReadonlySet<number>,
  others: ReadonlySet<number>,
  which: "earlier" | "any",
  items: Items,
): ReadonlySet<number> {
  const { rules } = items;
  const all = Array.from(rules.keys());
  const rivals = all.filter((item) => others.has(rules[item] as number));
  const spans = items.asked.map(spansOf);
  const found = new Set<number>();
  for (const item of all) {
    const rule = rules[item] as number;
    if (!some.has(rule) || found.has(rule)) continue;
    const last = which === "any" ? Infinity : rule;
    if (meetsUpTo(last, item, rivals, spans, items)) found.add(rule);
  }
  return found;
}

function meetsUpTo(
  last: number,
  item: number,
  rivals: readonly number[],
  spans: readonly Spans[],
  { rules, boxes }: Items,
): boolean {
  for (const rival of rivals) {
    if ((rules[rival] as number) > last) return false;
    // Numbers are compared first, as there are millions of pairs.
    if (spans.every((one) => spansMeet(one, item, rival))) {
      if (boxesMeet(boxes[item] as Box, boxes[rival] as Box)) return true;
    }
  }
  return false;
}

/** The least and the largest value that each item asks for. */
interface Spans {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

function spansOf({ values, of }: Asked): Spans {
  const ends = (at: number) => Uint32Array.from(of, (index) => (values[index] as Ranges).at(at) as number);
  return { low: ends(0), high: ends(-1) };
}

function spansMeet({ low, high }: Spans, a: number, b: number): boolean {
  return (low[a] as number) <= (high[b] as number) && (low[b] as number) <= (high[a] as number);
}

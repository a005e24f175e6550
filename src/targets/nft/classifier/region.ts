import { type Box, boxesMeet } from "../../../compiler/analysis/boxes.js";
import { has, holds, intersect, type Ranges, range } from "../../../compiler/analysis/ranges.js";
import { UNKNOWN_PROTOCOL } from "../../../compiler/analysis/variable.js";
import type { Expr, Test } from "../../../compiler/ir/expr.js";
import type { Intervals } from "../../../compiler/ir/intervals.js";
import type { Cut } from "./cut.js";
import type { Items } from "./items.js";

/** What lookups have told of the packets that come to a chain, by variable. */
export type Region = Box["restricts"];

/** The region of the packets that a lookup finds in a block: they have its value, and got past its guards. */
export function regionWithin(region: Region, { asked, shift }: Cut, block: number, { space }: Items): Region {
  const low = block * 2 ** shift;
  const { variable, present, besides } = asked.subject;
  const value = { key: variable.key, allows: range(low, low + 2 ** shift - 1) };
  const inner = new Map<number, Ranges>(region);
  for (const { key, allows } of [value, ...present, ...besides]) {
    const index = space.indexOf(key);
    if (index === undefined) continue;
    const known = inner.get(index);
    inner.set(index, known ? intersect(known, allows) : allows);
  }
  return inner;
}

/** The box holds all packets of the region. */
export function isAll({ restricts }: Box, region: Region): boolean {
  for (const [variable, ranges] of restricts) {
    const known = region.get(variable);
    if (!known || !holds(ranges, known)) return false;
  }
  return true;
}

/** The expression for packets of the region: what holds for all of them, or for none, is not asked again. */
export function openIn(expr: Expr, region: Region, items: Items): Expr {
  switch (expr.kind) {
    case "and":
    case "or":
    case "xor":
      return { ...expr, operands: expr.operands.map((operand) => openIn(operand, region, items)) };
    case "not":
      return { ...expr, operand: openIn(expr.operand, region, items) };
    case "const":
      return expr;
    default: {
      const value = answerIn(expr, region, items);
      return value === undefined ? expr : { kind: "const", value, span: expr.span };
    }
  }
}

/** undefined: it holds for some, or nobody knows. */
function answerIn(test: Test, region: Region, items: Items): boolean | undefined {
  const boxes = items.boxesOfTest(test);
  if (!boxes) return undefined;
  if (boxes.some((box) => isAll(box, region))) return true;
  return boxes.some((box) => boxesMeet(box, { restricts: region })) ? undefined : false;
}

/** The protocols of which all packets of the region have one; null: it may not be known. */
export function protocolsIn(region: Region, { space }: Items): Intervals | null {
  const index = space.indexOf("protocol");
  const known = index === undefined ? undefined : region.get(index);
  if (!known || has(known, UNKNOWN_PROTOCOL)) return null;
  return Array.from({ length: known.length / 2 }, (_, at) => ({
    low: BigInt(known[2 * at] as number),
    high: BigInt(known[2 * at + 1] as number),
  }));
}

import { type Box, boxesMeet } from "../../../compiler/analysis/boxes.js";
import { has, holds, intersect, type Ranges, range } from "../../../compiler/analysis/ranges.js";
import { isTransport, TRANSPORTS, UNKNOWN_PROTOCOL } from "../../../compiler/analysis/variable.js";
import type { Expr, Test } from "../../../compiler/ir/expr.js";
import { HEADERS } from "../../../compiler/ir/headers.js";
import type { Intervals } from "../../../compiler/ir/intervals.js";
import { WIRE_FIELDS } from "../../../compiler/ir/wire.js";
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
      if (value !== undefined) return { kind: "const", value, span: expr.span };
      return onlyOfProtocol(expr, region, items) ?? expr;
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

/**
 * All packets of the region have a transport header, and those that have the test's are where it holds: which header a packet
 * has is what its protocol says. undefined: more must be asked.
 */
function onlyOfProtocol(test: Test, region: Region, items: Items): Test | undefined {
  const { header } = test.needs;
  const index = items.space.indexOf("transport");
  const there = index === undefined ? undefined : region.get(index);
  if (index === undefined || !there || !isTransport(header) || has(there, 0)) return undefined;
  const which = TRANSPORTS[header] * 0x1_0000;
  const those = new Map(region).set(index, intersect(there, range(which, which + 0xffff)));
  if (!items.boxesOfTest(test)?.some((box) => isAll(box, those))) return undefined;
  const number = BigInt(HEADERS[header].proto);
  return {
    kind: "number",
    field: WIRE_FIELDS["ip.proto"],
    ranges: [{ low: number, high: number }],
    needs: { header: "proto", bytes: 1 },
    span: test.span,
  };
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

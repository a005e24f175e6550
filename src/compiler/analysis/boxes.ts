import { assertNever, invariant } from "../diagnostics/invariant.js";
import type { Expr, Test } from "../ir/expr.js";
import { intervals } from "../ir/intervals.js";
import type { AddressList } from "../ir/policy.js";
import { type Alternatives, complementOf, ofPlace, tiled, variableOf } from "./places.js";
import { presenceOf, type Restriction } from "./presence.js";
import { has, intersect, isEverything, meet, type Ranges, without } from "./ranges.js";
import { isAskedWhole, placesOf, type Space } from "./space.js";
import { tidied } from "./tidy.js";
import { addressChunks } from "./variable.js";

/** A conjunction: what each variable may be, by its index in the space; one that is not there may be anything. */
export interface Box {
  /** INVARIANT: no set is empty, and none is everything. */
  readonly restricts: ReadonlyMap<number, Ranges>;
}

/** The box that holds every packet. */
export const ANYTHING: Box = { restricts: new Map() };

/**
 * The packets for which an expression holds, as a union of boxes, which may overlap; undefined: they would be more than
 * `most`. The space is that of rules that hold the expression.
 */
export function boxesOf(
  match: Expr,
  space: Space,
  lists: readonly AddressList[],
  most: number,
): readonly Box[] | undefined {
  return holding(match, true, { space, lists, most });
}

/** Whether the box holds a packet with these values, one for each variable of the space. */
export function boxHas({ restricts }: Box, values: Uint32Array): boolean {
  for (const [variable, ranges] of restricts) {
    if (!has(ranges, values[variable] as number)) return false;
  }
  return true;
}

/** What both boxes hold; undefined: nothing. */
export function intersectBoxes(a: Box, b: Box): Box | undefined {
  if (a.restricts.size < b.restricts.size) return intersectBoxes(b, a);
  const restricts = new Map(a.restricts);
  for (const [variable, ranges] of b.restricts) {
    const other = restricts.get(variable);
    const common = other ? intersect(other, ranges) : ranges;
    if (common.length === 0) return undefined;
    restricts.set(variable, common);
  }
  return { restricts };
}

/** Some packet may be in both. */
export function boxesMeet(a: Box, b: Box): boolean {
  if (a.restricts.size > b.restricts.size) return boxesMeet(b, a);
  for (const [variable, ranges] of a.restricts) {
    const other = b.restricts.get(variable);
    if (other && !meet(ranges, other)) return false;
  }
  return true;
}

interface Context {
  readonly space: Space;
  readonly lists: readonly AddressList[];
  readonly most: number;
}

type Boxes = readonly Box[];

/** Where `expr` is `wanted`. */
function holding(expr: Expr, wanted: boolean, context: Context): Boxes | undefined {
  switch (expr.kind) {
    case "const":
      return expr.value === wanted ? [ANYTHING] : [];
    case "not":
      return holding(expr.operand, !wanted, context);
    case "and":
    case "or": {
      const parts = expr.operands.map((operand) => holding(operand, wanted, context));
      return (expr.kind === "and") === wanted ? allOf(parts, context) : anyOf(parts, context);
    }
    case "xor":
      return oddOf(expr.operands, wanted, context);
    default:
      return ofTest(expr, wanted, context);
  }
}

type Parts = readonly (Boxes | undefined)[];

function anyOf(parts: Parts, { space, most }: Context): Boxes | undefined {
  const all: Box[] = [];
  for (const part of parts) {
    if (!part) return undefined;
    all.push(...part);
  }
  return bounded(all, space, most);
}

/** One part after the other, the simplest first: what is empty stays empty. */
function allOf(parts: Parts, { space, most }: Context): Boxes | undefined {
  const known = parts.filter((part) => part !== undefined).sort((a, b) => a.length - b.length);
  let boxes: Boxes = [ANYTHING];
  for (const part of known) {
    const product = productOf(boxes, part, most);
    const tidy = product && bounded(product, space, most);
    if (!tidy) return undefined;
    boxes = tidy;
  }
  return known.length === parts.length || boxes.length === 0 ? boxes : undefined;
}

/** How many boxes may wait to be tidied, as a multiple of those that may be left. */
const SLACK = 16;

function productOf(some: Boxes, others: Boxes, most: number): Boxes | undefined {
  const product: Box[] = [];
  for (const a of some) {
    for (const b of others) {
      const both = intersectBoxes(a, b);
      if (both) product.push(both);
    }
    if (product.length > SLACK * most) return undefined;
  }
  return product;
}

/** Where an odd number of operands hold, or (not wanted) an even one. */
function oddOf(operands: readonly Expr[], wanted: boolean, context: Context): Boxes | undefined {
  let odd: Boxes | undefined = [];
  let even: Boxes | undefined = [ANYTHING];
  for (const operand of operands) {
    const [yes, no] = [holding(operand, true, context), holding(operand, false, context)];
    const [wasOdd, wasEven]: Parts = [odd, even];
    odd = anyOf([allOf([wasOdd, no], context), allOf([wasEven, yes], context)], context);
    even = anyOf([allOf([wasOdd, yes], context), allOf([wasEven, no], context)], context);
  }
  return wanted ? odd : even;
}

function bounded(boxes: Boxes, space: Space, most: number): Boxes | undefined {
  if (boxes.length > SLACK * most) return undefined;
  const tidy = tidied(boxes, space);
  return tidy.length > most ? undefined : tidy;
}

function ofTest(test: Test, wanted: boolean, context: Context): Boxes | undefined {
  const presence = presenceOf(test.needs);
  const there = boxOf(presence, context.space);
  const values = valuesOf(test, wanted, context).map((restrictions) => boxOf(restrictions, context.space));
  const present = productOf([there], values, context.most);
  if (wanted || !present) return present && bounded(present, context.space, context.most);
  return anyOf([absences(presence, context.space), present], context);
}

/** What all the restrictions allow. */
export function boxOf(restrictions: readonly Restriction[], space: Space): Box {
  const restricts = new Map<number, Ranges>();
  for (const { asks, allows } of restrictions) {
    const { index, bits } = variableOf(asks, space);
    const known = restricts.get(index);
    if (!isEverything(allows, bits)) restricts.set(index, known ? intersect(known, allows) : allows);
  }
  return { restricts };
}

/** The packets that lack something of what must be there, each in one of the boxes. */
function absences(presence: readonly Restriction[], space: Space): Boxes {
  return presence.map(({ asks, allows }, index) =>
    boxOf(
      [...presence.slice(0, index), { asks, allows: without(allows, variableOf(asks, space).bits) }],
      space,
    ),
  );
}

/** What a test asks of the value, where the value is there: one of these conjunctions. */
function valuesOf(test: Test, wanted: boolean, context: Context): Alternatives {
  switch (test.kind) {
    case "address":
    case "list": {
      const set = test.kind === "address" ? test.ranges : listNamed(test.list, context.lists)[test.family];
      const chunks = addressChunks(test.field, test.family);
      return tiled(chunks, wanted ? set : complementOf(set, 32 * chunks.length), context.space);
    }
    case "number":
      return ofPlace(test.field, test.ranges, wanted, context.space);
    case "bits":
      return ofMask(test, wanted, context.space);
    default:
      return assertNever(test);
  }
}

/** Where some bit of the mask is set, or (not wanted) none. */
function ofMask(test: Extract<Test, { kind: "bits" }>, wanted: boolean, space: Space): Alternatives {
  const { field, mask } = test;
  if (isAskedWhole(test)) {
    const values = Array.from({ length: 2 ** field.width }, (_, value) => BigInt(value));
    const some = values.filter((value) => (value & mask) !== 0n);
    const ranges = intervals(some.map((value) => ({ low: value, high: value })));
    return ofPlace(field, ranges, wanted, space);
  }
  const zero = [{ low: 0n, high: 0n }];
  const runs = placesOf(test).map((place) => ofPlace(place, zero, !wanted, space));
  // That a run is zero says one thing of each of its pieces: one conjunction.
  return wanted ? runs.flat() : [runs.flat(2)];
}

function listNamed(name: string, lists: readonly AddressList[]): AddressList {
  const list = lists.find((candidate) => candidate.name === name);
  invariant(list, `list ${name} is in the policy`);
  return list;
}

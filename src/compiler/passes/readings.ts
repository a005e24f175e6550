import { invariant } from "../diagnostics/invariant.js";
import type { Span } from "../diagnostics/span.js";
import { ADDRESS_BITS, type Family } from "../ir/address.js";
import type { Expr, Needs } from "../ir/expr.js";
import {
  ADDRESS_FIELDS,
  type AddressFieldName,
  type ConstantReading,
  type FlagField,
  type FlagReading,
  type NumberField,
  type Reading,
  type WireReading,
} from "../ir/fields.js";
import { contains, type Intervals, intervals, universe } from "../ir/intervals.js";
import { bytesNeeded, type WireField } from "../ir/wire.js";

/** Comparisons of a field become tests of the places that packets carry it at: at most one of them holds. */

/** The field has one of the values. */
export function numberTests({ readings }: NumberField, values: Intervals, span: Span): Expr {
  return either(
    readings.map((reading) => readingTest(reading, values, span)),
    span,
  );
}

/** Some bit of the mask is set; only for fields that are read as they stand. */
export function bitsTests({ readings }: NumberField, mask: bigint, span: Span): Expr {
  const tests = readings.map((reading) => {
    invariant(isPlain(reading), "only what is read as it stands has bits");
    return bitsTest(reading.wire, mask, span);
  });
  return either(tests, span);
}

export function flagTests({ readings }: FlagField, span: Span): Expr {
  return either(
    readings.map((reading) => flagTest(reading, span)),
    span,
  );
}

/** Whether `&` can ask for bits of the field: they are the packet's own. */
export function hasBits({ readings }: NumberField): boolean {
  return readings.every(isPlain);
}

function isPlain(reading: Reading): reading is WireReading {
  return reading.kind === "wire" && reading.scale === 1 && reading.add === 0;
}

function flagTest(reading: FlagReading, span: Span): Expr {
  return "mask" in reading
    ? bitsTest(reading.wire, BigInt(reading.mask), span)
    : numberTest(reading.wire, reading.ranges, span);
}

function readingTest(reading: Reading, values: Intervals, span: Span): Expr {
  return reading.kind === "wire"
    ? numberTest(reading.wire, wireValues(reading, values), span)
    : constantTest(reading, values, span);
}

/** Every packet of the family has the value: the test asks for the family, or for nothing at all. */
function constantTest({ family, value }: ConstantReading, values: Intervals, span: Span): Expr {
  if (contains(values, BigInt(value))) return familyTest(family, span);
  return { kind: "const", value: false, span };
}

/** The packet is of the family: its source is some address of it. */
export function familyTest(family: Family, span: Span): Expr {
  const ranges = universe(ADDRESS_BITS[family]);
  return { kind: "address", field: "ip.src", family, ranges, needs: addressNeeds("ip.src", family), span };
}

export function addressNeeds(name: AddressFieldName, family: Family): Needs {
  const width = ADDRESS_BITS[family] / 8;
  return { header: family === 4 ? "ip4" : "ip6", bytes: ADDRESS_FIELDS[name].offset[family] + width };
}

/** The bits in the packet that mean one of the values. */
export function wireValues({ wire, scale, add }: WireReading, values: Intervals): Intervals {
  const last = (1n << BigInt(wire.width)) - 1n;
  const [factor, base] = [BigInt(scale), BigInt(add)];
  const ranges = values.flatMap(({ low, high }) => {
    const first = low <= base ? 0n : (low - base + factor - 1n) / factor;
    const end = high < base ? -1n : (high - base) / factor;
    return first <= end && first <= last ? [{ low: first, high: end < last ? end : last }] : [];
  });
  // Between two values that no packet has there is no gap any more.
  return intervals(ranges);
}

function numberTest(wire: WireField, ranges: Intervals, span: Span): Expr {
  return { kind: "number", field: wire, ranges, needs: needsOf(wire), span };
}

function bitsTest(wire: WireField, mask: bigint, span: Span): Expr {
  return { kind: "bits", field: wire, mask, needs: needsOf(wire), span };
}

function needsOf(wire: WireField): Needs {
  return { header: wire.header, bytes: bytesNeeded(wire) };
}

function either(operands: readonly Expr[], span: Span): Expr {
  const [only] = operands;
  return only && operands.length === 1 ? only : { kind: "or", operands, span };
}

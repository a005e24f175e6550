import { type Address, formatAddress } from "../compiler/ir/address.js";
import { type BitsTest, type Expr, fieldText, type Test } from "../compiler/ir/expr.js";
import { contains } from "../compiler/ir/intervals.js";
import type { Policy } from "../compiler/ir/policy.js";
import { negation, valuesOf, widthOf } from "./expressions.js";
import { spread } from "./spread.js";

/** One value at the edge of a constant, as a question that only this value answers. */
export interface Edge {
  readonly pin: Expr;
  /** As in "tcp.dstport 22, outside". */
  readonly text: string;
}

/** Of a longer set, members from all over it stand for the rest. */
const MOST_RANGES = 256;

/** The values just inside and just outside each range of a test, and each bit of a mask by itself. */
export function edgesOf(test: Test, policy: Policy): readonly Edge[] {
  if (test.kind === "bits") return bitEdges(test);
  const values = valuesOf(test, policy);
  const last = (1n << BigInt(widthOf(test))) - 1n;
  const near = spread(values, MOST_RANGES).flatMap(({ low, high }) => [low - 1n, low, high, high + 1n]);
  const distinct = [...new Set(near)].filter((value) => value >= 0n && value <= last);
  return distinct.map((value) => {
    const side = contains(values, value) ? "inside" : "outside";
    return { pin: pinned(test, value), text: `${fieldText(test)} ${valueText(test, value)}, ${side}` };
  });
}

/** The same question about one value alone. */
export function pinned(test: Exclude<Test, BitsTest>, value: bigint): Expr {
  const ranges = [{ low: value, high: value }];
  if (test.kind === "number") return { ...test, ranges };
  const { field, family, needs, span } = test;
  return { kind: "address", field, family, ranges, needs, span };
}

/** Each bit of the mask alone, and none of them but all others. */
function bitEdges(test: BitsTest): readonly Edge[] {
  const width = BigInt(test.field.width);
  const all = (1n << width) - 1n;
  const bits = [...Array(test.field.width).keys()].map((at) => 1n << BigInt(at));
  const alone = bits
    .filter((bit) => (test.mask & bit) !== 0n)
    .map((bit) => ({ pin: onlyBits(test, bit, test.mask & ~bit), text: `bit ${bit}, inside` }));
  const others = all & ~test.mask;
  const none = { pin: onlyBits(test, others, test.mask), text: "its bits clear, outside" };
  return [...alone, ...(others === 0n ? [] : [none])].map(({ pin, text }) => {
    return { pin, text: `${fieldText(test)} ${text}` };
  });
}

/** Some bit of `some` is set and none of `none`. */
function onlyBits(test: BitsTest, some: bigint, none: bigint): Expr {
  const clear = negation({ ...test, mask: none });
  const operands = none === 0n ? [{ ...test, mask: some }] : [{ ...test, mask: some }, clear];
  return { kind: "and", operands, span: test.span };
}

function valueText(test: Exclude<Test, BitsTest>, value: bigint): string {
  if (test.kind === "number") return String(value);
  return formatAddress({ family: test.family, value } satisfies Address);
}

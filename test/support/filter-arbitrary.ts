// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that look like interpolations
import fc from "fast-check";
import type { Span } from "../../src/compiler/diagnostics/span.js";
import { ADDRESS_BITS, type Family, prefixMask } from "../../src/compiler/ir/address.js";
import { FIELDS } from "../../src/compiler/ir/fields.js";
import { FUNCTION_NAMES } from "../../src/compiler/ir/functions.js";
import type { FieldArgument, FieldRef, Filter, Operand, SetItem } from "../../src/dsl/filter/ast.js";
import type { SurfaceList } from "../../src/dsl/surface.js";

/** Expressions of every field, operator and function, well typed or not: reading and printing do not care. */

const span: Span = { file: "", start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };
/** Declares what generated expressions interpolate. */
export const LISTS = 'const partners = list(["192.0.2.0/24", "::1"]);';
const partners: SurfaceList = {
  span,
  name: "partners",
  items: [
    { value: "192.0.2.0/24", span },
    { value: "::1", span },
  ],
};

/** Names that begin like operators are names all the same. */
const NAMES = [...Object.keys(FIELDS), "x", "not_a_field", "orient", "in-2.b", "matches2", "r"];

const family: fc.Arbitrary<Family> = fc.constantFrom(4, 6);
const bitsOf = (of: Family) => fc.bigInt(0n, (1n << BigInt(ADDRESS_BITS[of])) - 1n);

const number = fc.bigInt(0n, 1n << 64n).map((value): Operand => ({ kind: "number", value, span }));
const address = family.chain((of) =>
  bitsOf(of).map((value): Operand => ({ kind: "address", address: { family: of, value }, span })),
);
const prefix = family.chain((of) =>
  fc.tuple(bitsOf(of), fc.nat(ADDRESS_BITS[of])).map(([value, length]): Operand => {
    const base = value & prefixMask(of, length);
    return { kind: "prefix", prefix: { family: of, base, length }, span };
  }),
);
const string = fc
  .oneof(fc.string({ unit: "binary" }), fc.constantFrom("tcp", "${", "`", '"', "\\", "${x}", "a\nb", "#"))
  .map((value): Operand => ({ kind: "string", value, span }));

const value = fc.oneof(number, address, string);

const word = fc
  .constantFrom("ip", "tcp", "icmp", "x.y")
  .map((value): FieldArgument => ({ kind: "word", value, span }));
const field: fc.Arbitrary<FieldRef> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NAMES).map((name) => ({ name, args: null, span })) },
  fc
    .tuple(fc.constantFrom(...FUNCTION_NAMES), fc.array(fc.oneof(word, value), { maxLength: 4 }))
    .map(([name, args]) => ({ name, args, span })),
);

function range(low: Operand, high: Operand): SetItem {
  return { kind: "range", low, high, span };
}
const ranges = fc.oneof(
  fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => {
    const ends = [Math.min(a, b), Math.max(a, b)].map(
      (n): Operand => ({ kind: "number", value: BigInt(n), span }),
    );
    return range(ends[0] as Operand, ends[1] as Operand);
  }),
  family.chain((of) =>
    fc.tuple(bitsOf(of), bitsOf(of)).map(([a, b]) => {
      const at = (value: bigint): Operand => ({ kind: "address", address: { family: of, value }, span });
      return a < b ? range(at(a), at(b)) : range(at(b), at(a));
    }),
  ),
);
const items = fc.array(fc.oneof<fc.Arbitrary<SetItem>[]>(value, prefix, ranges), { maxLength: 5 });

export const filters: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    field.map((of): Filter => ({ kind: "flag", field: of, span })),
    fc
      .tuple(field, fc.constantFrom("eq", "ne", "lt", "le", "gt", "ge"), value)
      .map(([of, op, to]): Filter => ({ kind: "compare", field: of, op, value: to, span })),
    fc.tuple(field, items).map(([of, set]): Filter => ({ kind: "in", field: of, items: set, span })),
    field.map((of): Filter => ({ kind: "inList", field: of, list: partners, span })),
    fc.tuple(field, value).map(([of, mask]): Filter => ({ kind: "bits", field: of, mask, span })),
    fc
      .tuple(field, fc.constantFrom("contains", "matches"), value)
      .map(([of, op, to]): Filter => ({ kind: "text", field: of, op, value: to, span })),
    tie("filter").map((operand): Filter => ({ kind: "not", operand, span })),
    fc
      .tuple(fc.constantFrom("and", "or", "xor"), fc.array(tie("filter"), { minLength: 2, maxLength: 4 }))
      .map(([kind, operands]): Filter => ({ kind, operands, span })),
  ),
})).filter;

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that look like interpolations
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Span } from "../../src/compiler/diagnostics/span.js";
import { ADDRESS_BITS, type Family, prefixMask } from "../../src/compiler/ir/address.js";
import type { FieldRef, Filter, Operand, SetItem } from "../../src/dsl/filter/ast.js";
import { printFilter } from "../../src/dsl/filter/print.js";
import type { SurfaceList } from "../../src/dsl/surface.js";
import { readFilter, withoutSpans } from "../support/read.js";

const span: Span = { file: "", start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };
const LISTS = 'const partners = list(["192.0.2.0/24", "::1"]);';
const partners: SurfaceList = {
  span,
  name: "partners",
  items: [
    { value: "192.0.2.0/24", span },
    { value: "::1", span },
  ],
};

const field: fc.Arbitrary<FieldRef> = fc
  .constantFrom("ip.src", "tcp.flags.syn", "x", "not_a_field", "orient", "in-2.b")
  .map((name) => ({ name, args: null, span }));

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

const filter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    field.map((of): Filter => ({ kind: "flag", field: of, span })),
    fc
      .tuple(field, fc.constantFrom("eq", "ne", "lt", "le", "gt", "ge"), value)
      .map(([of, op, to]): Filter => ({ kind: "compare", field: of, op, value: to, span })),
    fc.tuple(field, items).map(([of, set]): Filter => ({ kind: "in", field: of, items: set, span })),
    field.map((of): Filter => ({ kind: "inList", field: of, list: partners, span })),
    fc.tuple(field, value).map(([of, mask]): Filter => ({ kind: "bits", field: of, mask, span })),
    tie("filter").map((operand): Filter => ({ kind: "not", operand, span })),
    fc
      .tuple(fc.constantFrom("and", "or", "xor"), fc.array(tie("filter"), { minLength: 2, maxLength: 4 }))
      .map(([kind, operands]): Filter => ({ kind, operands, span })),
  ),
})).filter;

test("reading what was printed gives the same expression", () => {
  fc.assert(
    fc.property(filter, (written) => {
      const { filter: read, seen } = readFilter(printFilter(written), LISTS);
      expect(seen).toEqual([]);
      expect(withoutSpans(read)).toEqual(withoutSpans(written));
    }),
    { numRuns: 1000 },
  );
});

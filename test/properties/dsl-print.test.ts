// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions that interpolate
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELDS } from "../../src/compiler/ir/fields.js";
import { FUNCTION_NAMES } from "../../src/compiler/ir/functions.js";
import { printFilter } from "../../src/dsl/filter/print.js";
import { filters, LISTS } from "../support/filter-arbitrary.js";
import { readFilter, withoutSpans } from "../support/read.js";
import { respelled } from "../support/respell.js";

describe("reading what was printed gives the same expression", () => {
  test("as it was printed", () => {
    fc.assert(
      fc.property(filters, (written) => {
        const { filter: read, seen } = readFilter(printFilter(written), LISTS);
        expect(seen).toEqual([]);
        expect(withoutSpans(read)).toEqual(withoutSpans(written));
      }),
      { numRuns: 400 },
    );
  });

  test("with its operators in either spelling, and any space and comments between the words", () => {
    fc.assert(
      fc.property(filters, fc.infiniteStream(fc.nat(5)), (written, choices) => {
        const { filter: read, seen } = readFilter(respelled(printFilter(written), choices), LISTS);
        expect(seen).toEqual([]);
        expect(withoutSpans(read)).toEqual(withoutSpans(written));
      }),
      { numRuns: 400 },
    );
  });
});

/** An expression of each form that a field can stand in, whether the types fit or not. */
const FORMS = [
  (field: string) => field,
  (field: string) => `not ${field}`,
  ...["==", "!=", "<", "<=", ">", ">=", "&"].map((operator) => (field: string) => `${field} ${operator} 80`),
  ...["contains", "matches"].map((operator) => (field: string) => `${field} ${operator} "tcp"`),
  ...["{}", "{80}", "{1..9 80}", "{192.0.2.0/24 ::1 192.0.2.1..192.0.2.9}", '{"tcp" 17}', "${partners}"].map(
    (set) => (field: string) => `${field} in ${set}`,
  ),
  ...["and", "or", "xor"].map((operator) => (field: string) => `${field} == 1 ${operator} ${field}`),
];

const CALLS = FUNCTION_NAMES.flatMap((name) => ["()", "(0)", "(tcp, 0, 8)"].map((args) => name + args));

test.each([...Object.keys(FIELDS), ...CALLS])("%s is printed in every form as it was written", (field) => {
  for (const form of FORMS) {
    const { filter, seen } = readFilter(form(field), LISTS);
    expect(seen).toEqual([]);
    const printed = printFilter(filter ?? fail(form(field)));
    expect(printed).toBe(form(field));
    expect(withoutSpans(readFilter(printed, LISTS).filter)).toEqual(withoutSpans(filter));
  }
});

function fail(text: string): never {
  throw new Error(`no filter: ${text}`);
}

test.each(["not ", "("])("128 levels of %j are read", (opening) => {
  const text = `${opening.repeat(128)}a${opening === "(" ? ")".repeat(128) : ""}`;
  expect(readFilter(text).seen).toEqual([]);
  expect(readFilter(opening + text + (opening === "(" ? ")" : "")).seen).toMatchObject([{ code: "TG1104" }]);
});

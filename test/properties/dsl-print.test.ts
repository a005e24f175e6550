import fc from "fast-check";
import { describe, expect, test } from "vitest";
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

test.each(["not ", "("])("128 levels of %j are read", (opening) => {
  const text = `${opening.repeat(128)}a${opening === "(" ? ")".repeat(128) : ""}`;
  expect(readFilter(text).seen).toEqual([]);
  expect(readFilter(opening + text + (opening === "(" ? ")" : "")).seen).toMatchObject([{ code: "TG1104" }]);
});

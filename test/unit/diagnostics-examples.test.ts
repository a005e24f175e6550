import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/compiler/diagnostics/catalogue/index.js";
import type { Entry, Example } from "../../src/compiler/diagnostics/entry.js";
import { tryExample } from "../support/examples.js";

const ROWS = Object.entries(CATALOGUE as Readonly<Record<string, Entry<string>>>);
/** TG2070 and TG2071 are the type checker's, which is no part of an analysis: its own test tries their examples. */
const TRIED = ROWS.filter(([code, { example }]) => example.of !== "sketch" && !/^TG207[01]$/.test(code));

/**
 * That there are no routes, that servers do not share what they know of connections, that a default does the same, and that
 * it keeps from hosts what routers say.
 */
const REMARKS: ReadonlySet<string> = new Set(["TG3005", "TG3007", "TG3012", "TG3021"]);

/** The codes that a snippet raises, without those that it names in a comment, and without remarks that are not the matter. */
function codes(code: string, { of }: Example, snippet: string): readonly string[] {
  const raised = new Set<string>(tryExample(of, snippet)?.diagnostics.map((one) => one.code));
  return [...raised].filter((one) => one === code || (!REMARKS.has(one) && !snippet.includes(one)));
}

describe("the example of each code", () => {
  test.each(TRIED)("%s: the wrong text raises it and nothing else", (code, { example }) => {
    expect(codes(code, example, example.wrong)).toEqual([code]);
  });

  test.each(TRIED)("%s: the right text raises nothing", (code, { example }) => {
    expect(codes(code, example, example.right)).toEqual([]);
  });
});

import { expect, test } from "vitest";
import { FAILURES, type FailureCode } from "../../runtime/failures.js";
import { CATALOGUE } from "../../src/compiler/diagnostics/catalogue/index.js";

const PARAMETERS = ["file", "problem", "customer", "prefix", "other", "name", "cause", "device"] as const;
const MORE_PARAMETERS = [
  "step",
  "left",
  "tunnel",
  "theirs",
  "count",
  "thing",
  "generation",
  "store",
  "revision",
] as const;
const OF_SIGNATURES = ["keys", "key", "serial", "newest", "line", "text"] as const;
const ALL = [...PARAMETERS, ...MORE_PARAMETERS, ...OF_SIGNATURES];
const params = Object.fromEntries(ALL.map((name) => [name, `<${name}>`]));

function say(messages: Readonly<Record<string, unknown>>, code: FailureCode): string {
  return (messages[code] as (params: Readonly<Record<string, string>>) => string)(params);
}

test.each(Object.keys(FAILURES) as FailureCode[])("%s says what the catalogue says", (code) => {
  const catalogue = { [code]: CATALOGUE[code].message };
  expect(say(FAILURES, code)).toBe(say(catalogue, code));
  expect(say(FAILURES, code)).not.toContain("undefined");
});

test("every runtime code of the catalogue can be raised", () => {
  const codes = Object.keys(CATALOGUE).filter((code) => /^TG[59]/.test(code));
  expect(codes.sort()).toEqual(Object.keys(FAILURES).sort());
});

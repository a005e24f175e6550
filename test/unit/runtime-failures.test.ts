import { expect, test } from "vitest";
import { FAILURES, type FailureCode, failure } from "../../runtime/failures.js";
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
  "remote",
  "family",
] as const;
const OF_SIGNATURES = ["keys", "key", "serial", "newest", "line", "text", "rule"] as const;
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

test("a name cannot look like a line of ours, and a tool may say many", () => {
  expect(failure("TG5005", { file: "nft/a\nerror[TG1]: b" }).message).not.toMatch(/\n/);
  expect(failure("TG9006", { step: "check the firewall", cause: "line 1:\nno" }).message).toContain(
    "line 1:\nno",
  );
});

test("every runtime code of the catalogue can be raised", () => {
  const codes = Object.keys(CATALOGUE).filter((code) => /^TG[59]/.test(code));
  expect(codes.sort()).toEqual(Object.keys(FAILURES).sort());
});

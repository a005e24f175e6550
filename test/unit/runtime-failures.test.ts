import { expect, test } from "vitest";
import { FAILURES, failure } from "../../runtime/failures.js";
import { WARNINGS } from "../../runtime/warnings.js";
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
const OF_SIGNATURES = [
  "keys",
  "key",
  "serial",
  "newest",
  "line",
  "text",
  "rule",
  "needed",
  "mtu",
  "way",
  "address",
] as const;
const ALL = [...PARAMETERS, ...MORE_PARAMETERS, ...OF_SIGNATURES];
const params = Object.fromEntries(ALL.map((name) => [name, `<${name}>`]));

const SAID = { ...FAILURES, ...WARNINGS };
type Code = keyof typeof SAID;

function say(messages: Readonly<Record<string, unknown>>, code: Code): string {
  return (messages[code] as (params: Readonly<Record<string, string>>) => string)(params);
}

test.each(Object.keys(SAID) as Code[])("%s says what the catalogue says", (code) => {
  const catalogue = { [code]: CATALOGUE[code].message };
  expect(say(SAID, code)).toBe(say(catalogue, code));
  expect(say(SAID, code)).not.toContain("undefined");
});

test("a name cannot look like a line of ours, and a tool may say many", () => {
  expect(failure("TG5005", { file: "nft/a\nerror[TG1]: b" }).message).not.toMatch(/\n/);
  expect(failure("TG9006", { step: "check the firewall", cause: "line 1:\nno" }).message).toContain(
    "line 1:\nno",
  );
});

test("every runtime code of the catalogue can be raised", () => {
  const codes = Object.keys(CATALOGUE).filter((code) => /^TG[59]/.test(code));
  expect(codes.sort()).toEqual(Object.keys(SAID).sort());
  for (const code of codes)
    expect([code, CATALOGUE[code as Code].severity]).toEqual([code, code in WARNINGS ? "warning" : "error"]);
});

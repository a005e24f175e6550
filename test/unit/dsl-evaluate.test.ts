// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { IMPORTS, read } from "../support/read.js";

/** What a policy's `customer` reads as: any expression with a text can stand there. */
function customer(expression: string, declarations = ""): string {
  const text = `${IMPORTS}${declarations}
export default policy({
  customer: ${expression}, prefixes: [], firewall: { default: "drop", rules: [] },
});`;
  const { policy, seen } = read(text);
  expect(seen).toEqual([]);
  return policy?.customer?.value ?? "nothing";
}

describe("values are those of JavaScript", () => {
  test.each([
    ['"a"', "a"],
    ["`a${1}b${true}`", "a1btrue"],
    ['"a" + "b"', "ab"],
    ['"a" + 1', "a1"],
    ["`${1 + 2 * 3 - 4 / 2 + (7 % 4) + 2 ** 3}`", "16"],
    ["`${(6 & 3) | 8} ${6 ^ 3} ${1 << 4} ${-8 >> 1} ${-1 >>> 28} ${~1}`", "10 5 16 -4 15 -2"],
    ["`${-1} ${+1} ${!1} ${!0}`", "-1 1 false true"],
    ["`${1 < 2} ${1 <= 1} ${1 > 2} ${1 >= 2}`", "true true false false"],
    [
      '`${"a" < "b"} ${"a" === "a"} ${1 === "1"} ${1 !== 2} ${null === undefined}`',
      "true true false true false",
    ],
    ['1 ? "yes" : "no"', "yes"],
    ['"" ? "yes" : "no"', "no"],
    ['[] ? "yes" : "no"', "yes"],
    ['undefined ?? "a"', "a"],
    ['null ?? "a"', "a"],
    ['"" ?? "a"', ""],
    ['"" || "a"', "a"],
    ['"b" && "a"', "a"],
    ['(true || missing) && "a"', "a"],
    ['true ? "a" : missing', "a"],
    ['["a", "b"][1]', "b"],
    ['["a", "b"].length === 2 ? "two" : "more"', "two"],
    ["`${'abc'.length}`", "3"],
    ['({ a: { b: "c" } }).a.b', "c"],
    ['({ a: "b" })["a"]', "b"],
    ['({ ["a" + 1]: "b" }).a1', "b"],
    ['({ 1: "b" })[1]', "b"],
    ['({ ...{ a: "b" }, a: "c" }).a', "c"],
    ['[...["a"], ...[], "b"][1]', "b"],
    ['({ constructor: "a" }).constructor', "a"],
    ['"a" as const', "a"],
    ['("a" satisfies string)', "a"],
    ["'\\u0061'", "a"],
  ])("%s", (expression, value) => {
    expect(customer(expression)).toBe(value);
  });
});

describe("declarations", () => {
  test.each([
    ['const a = "x";', "a"],
    ['export const a: string = "x";', "a"],
    ['const { a } = { a: "x" };', "a"],
    ['const { b: a } = { b: "x" };', "a"],
    ['const { b: { a } } = { b: { a: "x" } };', "a"],
    ['const [, a] = ["w", "x"];', "a"],
    ['const b = "x", a = b;', "a"],
    ['const constructor = "x";', "constructor"],
    ['const __proto__ = "x";', "__proto__"],
    ['type T = string; interface I { a: string } const a: T = "x";', "a"],
    [
      'import type { Policy } from "tidegate"; import { type Rule, List } from "tidegate"; const a = "x";',
      "a",
    ],
    ['import type { Anything } from "elsewhere"; const a = "x";', "a"],
  ])("%s", (declarations, expression) => {
    expect(customer(expression, declarations)).toBe("x");
  });

  test("a directive says nothing", () => {
    expect(read('"use strict";').seen.map(({ code }) => code)).toEqual(["TG1050"]);
  });

  test("an import may take another name", () => {
    const text = `import { policy as p } from "tidegate";
export default p({ customer: "x", prefixes: [], firewall: { default: "drop", rules: [] } });`;
    expect(read(text)).toMatchObject({ policy: { customer: { value: "x" } }, seen: [] });
  });
});

describe("work is limited", () => {
  test("text that doubles", () => {
    const steps = Array.from({ length: 40 }, (_, i) => `const a${i + 1} = a${i} + a${i};`).join("\n");
    expect(read(`const a0 = "0123456789";\n${steps}`).seen.map(({ code }) => code)).toContain("TG1003");
  });

  test("expressions that double", () => {
    const steps = Array.from({ length: 40 }, (_, i) => `const a${i + 1} = expr\`\${a${i}} or \${a${i}}\`;`);
    const text = `${IMPORTS}const a0 = expr\`a\`;\n${steps.join("\n")}`;
    expect(read(text).seen.map(({ code }) => code)).toContain("TG1003");
  });

  test("expressions that nest through constants", () => {
    const steps = Array.from({ length: 200 }, (_, i) => `const a${i + 1} = expr\`not \${a${i}}\`;`);
    const text = `${IMPORTS}const a0 = expr\`a\`;\n${steps.join("\n")}`;
    expect(read(text).seen.map(({ code, under }) => ({ code, under }))).toEqual([
      { code: "TG1050", under: "" },
      { code: "TG1104", under: "not ${a128}" },
    ]);
  });

  test("a set may hold more items than a call can have arguments", () => {
    const steps = Array.from({ length: 18 }, (_, i) => `const a${i + 1} = [...a${i}, ...a${i}];`);
    const text = `${IMPORTS}const a0 = [1];${steps.join("")}const e = expr\`x in {\${a18} 80}\`;`;
    expect(read(text).seen.map(({ code }) => code)).toEqual(["TG1050"]);
  });

  test("brackets deeper than the parser's own stack", () => {
    const codes = read(`const a = ${"[".repeat(100_000)}`).seen.map(({ code }) => code);
    expect(codes).toEqual(["TG1002"]);
  });
});

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { catalogueMarkdown } from "../../src/cli/render/catalogue.js";
import { titleOf } from "../../src/cli/render/explanation.js";
import { CATALOGUE, isCode } from "../../src/compiler/diagnostics/catalogue/index.js";
import { type Diagnostic, diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { analyzeCase, readCases } from "../support/cases.js";
import { expectDiagnostics, quotesWhatItUnderlines } from "../support/diagnostics.js";
import { tryExample } from "../support/examples.js";
import { policyText } from "../support/reading.js";

const ROOT = join(import.meta.dirname, "../..");
const CODES = Object.keys(CATALOGUE).filter(isCode);

/** What cannot be written out, or is no matter of one text, is raised by a test of its own, which names the code. */
describe("what has only a sketch for an example is raised by another test", () => {
  const tests = ["unit", "kernel", "properties"].flatMap((folder) =>
    readdirSync(join(ROOT, "test", folder))
      .filter((file) => file.endsWith(".test.ts") && !file.startsWith("diagnostics-"))
      .map((file) => readFileSync(join(ROOT, "test", folder, file), "utf8")),
  );
  const sketched = CODES.filter((code) => CATALOGUE[code].example.of === "sketch");

  test.each(sketched)("%s", (code) => {
    expect(tests.some((text) => text.includes(code))).toBe(true);
  });
});

describe("texts of the catalogue", () => {
  test.each(CODES)("%s", (code) => {
    const { explanation, hint, example } = CATALOGUE[code];
    const title = titleOf(code);
    expect(title).toMatch(/^[^A-Z]|^[A-Z]+\b/);
    expect(title).not.toMatch(/[.!]$|\n/);
    expect(explanation.length).toBeGreaterThan(50);
    expect(explanation).toMatch(/\.$/);
    for (const line of explanation.split("\n")) expect(line.length).toBeLessThanOrEqual(122);
    if (hint !== null) expect(hint).not.toMatch(/\.$|\n/);
    expect(example.wrong).not.toBe(example.right);
  });

  test("are in docs/diagnostics.md (UPDATE_DOCS=1 writes it)", () => {
    const file = join(ROOT, "docs/diagnostics.md");
    const text = catalogueMarkdown();
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, text);
    expect(readFileSync(file, "utf8")).toBe(text);
    for (const code of CODES) expect(text).toContain(`### ${code}\n`);
  });
});

/** Why a message may speak of something else than what is underlined. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  TG1035: "the message names the function; underlined is its argument",
  TG2013: "the message tells what the underlined argument must be",
  TG2050: "what is missing cannot be underlined; its object is",
  TG2053: "the message tells the kind of the value, which can be as long as the policy",
  TG4003: "the message names the rule to blame; underlined is the part of it that is too much",
  TG4051: "the message names the rule to blame; underlined is the part of it that is too much",
};

/** The diagnostics that do not quote what they underline. */
function unquoted(text: string, diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics
    .filter((one) => !Object.hasOwn(ELSEWHERE, one.code) && !quotesWhatItUnderlines(one, text))
    .map(({ code, message, span }) => `${code} ${message}: ${text.slice(span.start, span.end)}`);
}

describe("a message quotes what it underlines", () => {
  test.each(CODES.filter((code) => CATALOGUE[code].example.of !== "sketch"))(
    "in the example of %s",
    (code) => {
      const { of, wrong } = CATALOGUE[code].example;
      const { text = "", diagnostics = [] } = tryExample(of, wrong) ?? {};
      expect(unquoted(text, diagnostics)).toEqual([]);
    },
  );

  test.each(readCases())("in the case $name", (one) => {
    const { diagnostics, sources } = analyzeCase(one);
    for (const { file, text } of sources.values()) {
      expect(
        unquoted(
          text,
          diagnostics.filter(({ span }) => span.file === file),
        ),
      ).toEqual([]);
    }
  });

  test("and the check sees when it does not", () => {
    const source = new SourceFile("a.policy.ts", "const first = second;");
    const check = (start: number, end: number, name: string) =>
      quotesWhatItUnderlines(diagnostic("TG1020", source.span(start, end), { name }), source.text);
    expect(check(14, 20, "second")).toBe(true);
    expect(check(6, 11, "second")).toBe(false);
    expect(check(6, 11, "elsewhere")).toBe(true);
  });
});

test("several mistakes are all reported, each at its place", () => {
  const text = policyText({
    customer: '"Acme Inc."',
    mitigate: 'drop("a", expr`ip.sorce == 192.0.2.1`), limit("b", expr`tcp.flags.syn`, { rate: "5/x" })',
    rules: 'allow("a", expr`tcp.dstport == 65536`)',
  });
  expectDiagnostics(text, [
    { code: "TG2020", underlined: '"Acme Inc."', hint: 'write "acme-inc"' },
    {
      code: "TG2001",
      underlined: "ip.sorce",
      message: "unknown field `ip.sorce`",
      hint: "did you mean `ip.src`?",
    },
    { code: "TG2029", underlined: '"5/x"' },
    { code: "TG2021", underlined: '"a"' },
    { code: "TG2006", underlined: "65536" },
  ]);
});

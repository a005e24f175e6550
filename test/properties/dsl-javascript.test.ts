// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs stand here as text
import { createContext, runInContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { invariant } from "../../src/compiler/diagnostics/invariant.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { readModuleText } from "../../src/dsl/evaluate/load.js";
import { Reading } from "../../src/dsl/evaluate/reading.js";
import { isScalar, scalarOf } from "../../src/dsl/evaluate/scalars.js";
import type { Value } from "../../src/dsl/evaluate/value.js";
import { NO_MODULES } from "../../src/dsl/modules.js";

/**
 * A policy means what JavaScript would compute from it, or it is refused. Programs of the subset are made here, as
 * text, and evaluated both ways.
 */

type Text = fc.Arbitrary<string>;

/** Fills the `#` of a pattern, one after the other. */
function filled(pattern: string, ...parts: readonly Text[]): Text {
  const pieces = pattern.split("#");
  return fc.tuple(...parts).map((texts) => pieces.map((piece, i) => piece + (texts[i] ?? "")).join(""));
}

const NUMBERS = ["0", "-0", "1", "2", "-1", "3", "0.1", "1.5", "2.5", "NaN", "Infinity", "1e21", "1e-7"];
const MORE_NUMBERS = ["4294967295", "2147483648", "0x1f", "0b11", "1_000", "9007199254740993"];
const TEXTS = ['""', '"a"', '"b"', '"ab"', '"a.b.a"', '"10"', '"9"', '" 7 "', '"-0"', '"0x1f"', '"é"'];
const MORE_TEXTS = ['"😀"', '"\\u0041"', '"İ"', '"ß"', '"constructor"', "'it\\'s'", "`a`", '"null"'];
const NAMES = ['"a"', '"b"', '"2"', '"10"', '"01"', '"4294967294"', '"4294967295"', '"length"', '"toString"'];

/** In deep programs something is refused nearly always. */
const SHALLOW = { maxDepth: 2, depthSize: "xsmall" } as const;

const word = (...words: readonly string[]) => fc.constantFrom(...words);

const { whole } = fc.letrec<
  Record<"number" | "text" | "truth" | "numbers" | "texts" | "object" | "whole", string>
>((tie) => {
  const [number, text, truth] = [tie("number"), tie("text"), tie("truth")];
  const [numbers, texts, object] = [tie("numbers"), tie("texts"), tie("object")];
  const any = fc.oneof(number, text, truth, numbers, object);
  const callback = word(
    "(n) => n",
    "(n, i) => n * i",
    "(n, i, all) => all.length - i + n",
    "(...a) => a.length",
  );
  const chosen = word(
    "(n) => n",
    "(n) => n > 1",
    "(n, i) => i % 2 === 0",
    "(n, i, all) => all.indexOf(n) === i",
    "Boolean",
  );
  return {
    number: fc.oneof(
      SHALLOW,
      word(...NUMBERS, ...MORE_NUMBERS),
      filled(
        "(# # #)",
        number,
        word("+", "-", "*", "/", "%", "**", "&", "|", "^", "<<", ">>", ">>>"),
        number,
      ),
      filled("(# #)", word("-", "~", "+"), number),
      filled("(# ? # : #)", truth, number, number),
      filled("Math.#(#)", word("floor", "ceil", "round", "trunc", "abs", "sign"), number),
      filled("Math.#(#, ...#)", word("min", "max"), number, numbers),
      filled("#.reduce((s, n, i, all) => s - n + i * all.length, #)", numbers, number),
      filled("#.length", fc.oneof(text, numbers, texts)),
      filled("#.#(#)", text, word("indexOf", "lastIndexOf"), text),
      filled("#.#(#, #)", text, word("indexOf", "lastIndexOf"), text, number),
      filled("#.indexOf(#)", numbers, number),
      filled("(#.at(#) ?? #)", numbers, number, number),
      filled("(#[#] ?? #)", numbers, number, number),
      filled("(#[#] ?? #)", object, word(...NAMES), number),
      filled("Number(#)", text),
      filled("parseInt(#, #)", text, word("10", "16", "2")),
      filled(
        "((a, b = a + 1, ...c) => a + b + c.length)(#, #)",
        number,
        fc.oneof(number, fc.constant("undefined")),
      ),
      filled("(({ a = 1, b: { c = a } = {}, ...d }) => a + c + Object.keys(d).length)(#)", object),
      filled("(([a = 5, , b = a, ...c]) => a + b + c.length)(#)", numbers),
      filled(
        "((a) => { const f = () => b; const b = a + 1; const g = (a) => a + f(); return g(#); })(#)",
        number,
        number,
      ),
    ),
    text: fc.oneof(
      SHALLOW,
      word(...TEXTS, ...MORE_TEXTS),
      filled("(# + #)", text, fc.oneof(text, number)),
      filled("(# + #)", number, text),
      filled("`<${#}>`", fc.oneof(number, text, truth)),
      filled("String(#)", fc.oneof(number, truth)),
      filled("(#).toString(#)", number, word("", "2", "16")),
      filled("(#).toFixed(#)", number, word("", "2")),
      filled("#.#()", text, word("trim", "trimEnd", "toUpperCase", "toLowerCase", "toString")),
      filled("#.#(#, #)", text, word("slice", "substring"), number, number),
      filled("#.slice(#)", text, number),
      filled("#.#(#)", text, word("charAt", "at"), number),
      filled("#[#]", text, word("0", "1", "'0'", "'00'")),
      filled("#.#(#, #)", text, word("replace", "replaceAll"), text, text),
      filled("#.#(#, #)", text, word("padStart", "padEnd"), word("3", "NaN", "-1", "5.5"), text),
      filled("#.repeat(#)", text, word("0", "2", "1.5")),
      filled("#.concat(#, #)", text, text, text),
      filled("#.join(#)", fc.oneof(numbers, texts), text),
      filled("typeof #", any),
    ),
    truth: fc.oneof(
      SHALLOW,
      word("true", "false"),
      filled("(# # #)", number, word("<", "<=", ">", ">=", "===", "!=="), number),
      filled("(# # #)", text, word("<", "<=", ">", ">=", "===", "!=="), text),
      filled("(# === #)", any, fc.oneof(number, text)),
      filled("!#", any),
      filled("(# # #)", truth, word("&&", "||"), truth),
      filled("#.includes(#)", numbers, number),
      filled("#.#(#)", text, word("includes", "startsWith", "endsWith"), text),
      filled("#.#(#, #)", text, word("includes", "startsWith", "endsWith"), text, number),
      filled("#.#(#)", numbers, word("some", "every"), chosen),
      filled("Number.#(#)", word("isInteger", "isNaN", "isFinite", "isSafeInteger"), fc.oneof(number, text)),
      filled("Array.isArray(#)", any),
    ),
    numbers: fc.oneof(
      SHALLOW,
      word("[]", "[3, 1, 2]", "[1, 1]", "[3, undefined, 1]", "[0, NaN, -0]"),
      filled("[#, #, #]", number, number, number),
      filled("[...#, #]", numbers, number),
      filled("#.map(#)", numbers, callback),
      filled("#.#(#)", numbers, word("filter"), chosen),
      filled("#.flatMap((n) => (n > 1 ? [n, n] : #))", numbers, numbers),
      filled("#.#(#, #)", numbers, word("slice"), number, number),
      filled("#.concat(#, #)", numbers, numbers, number),
      filled(
        "#.toSorted((a, b) => #)",
        numbers,
        word("a - b", "b - a", "0", "NaN", "a === undefined ? -1 : 1"),
      ),
      filled("#.toReversed()", numbers),
      filled(
        "[#, [#, [#]]].flat(#)",
        numbers,
        numbers,
        numbers,
        word("", "0", "1", "1.5", "Infinity", "NaN"),
      ),
      filled("#.map(Number)", texts),
      filled("#.map(parseInt)", texts),
      filled("Object.values(#)", object),
      filled(
        "Array.from(#, (n, i) => i)",
        fc.oneof(text, numbers, word("{ length: 2.5 }", "{ length: 1, 0: 7 }")),
      ),
      filled("[...#.keys()]", numbers),
    ),
    texts: fc.oneof(
      SHALLOW,
      word("[]", '["b", "a", "B", "10", "9"]', '["1", "0x2", "z"]'),
      filled("[#, #]", text, text),
      filled("#.split(#)", text, text),
      filled("#.split(#, #)", text, text, word("0", "1", "2", "-1")),
      filled("#.toSorted()", texts),
      filled("#.map(String)", numbers),
      filled("#.map((a, i) => a + i)", texts),
      filled("Object.keys(#)", object),
      filled("Array.from(#)", text),
      filled("#.filter((a, i, all) => all.indexOf(a) === i)", texts),
    ),
    object: fc.oneof(
      SHALLOW,
      word("{}", "{ a: 1 }", "{ b: 1, 2: -0, a: 3, 1: NaN }", "{ b: { c: 1 }, a: undefined }"),
      filled("{ [#]: #, a: # }", word(...NAMES), number, number),
      filled(
        "{ #: #, #: # }",
        word("b", "10", "2", "1e3", "0x10", "'x y'"),
        number,
        word("c", "7", "01"),
        number,
      ),
      filled("{ ...#, b: # }", object, number),
      filled("{ a: #, ...# }", number, object),
      filled("Object.fromEntries(#.map((n, i) => [i * 7 % 5, n]))", numbers),
      filled("Object.fromEntries(Object.entries(#).map(([k, v]) => [k + 1, v]))", object),
      filled("(({ a, ...rest }) => rest)(#)", object),
      filled("(# ? # : {})", truth, object),
    ),
    whole: fc.oneof(number, text, truth, numbers, texts, object),
  };
});

interface Evaluated {
  readonly refused: boolean;
  readonly value: unknown;
}

function ours(program: string): Evaluated {
  const diagnostics = new Diagnostics();
  const source = new SourceFile("program.ts", `export ${program}`);
  const value = readModuleText(source, new Reading(diagnostics, NO_MODULES))?.get("result");
  return diagnostics.hasErrors || !value
    ? { refused: true, value: undefined }
    : { refused: false, value: javascriptOf(value) };
}

function javascriptOf(value: Value): unknown {
  if (isScalar(value)) return scalarOf(value);
  if (value.kind === "array") return value.items.map(javascriptOf);
  invariant(value.kind === "object", "programs compute scalars, arrays and objects");
  return Object.fromEntries(
    [...value.properties].map(([name, property]) => [name, javascriptOf(property.value)]),
  );
}

const world = createContext({});

/** undefined where it throws. */
function javascripts(program: string): { readonly value: unknown } | undefined {
  try {
    return { value: runInContext(`(() => { "use strict"; ${program}; return result; })()`, world) };
  } catch {
    return undefined;
  }
}

/** All that a program could tell of a value: the sign of zero, the order of properties. */
function seen(value: unknown): string {
  if (Array.isArray(value)) return `[${[...value].map(seen).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}: ${seen(part)}`)}}`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

test("a program means what JavaScript makes of it, or is refused", () => {
  const runs = 3000;
  let understood = 0;
  fc.assert(
    fc.property(whole, (expression) => {
      const program = `const result = ${expression}`;
      const read = ours(program);
      if (read.refused) return;
      understood++;
      const run = javascripts(program);
      expect(run, program).toBeDefined();
      expect(seen(read.value), program).toBe(seen(run?.value));
    }),
    { numRuns: runs },
  );
  expect(understood).toBeGreaterThan(runs / 2);
});

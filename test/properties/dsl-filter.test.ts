// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions stand here as text
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { unknownParts } from "../../src/compiler/passes/filters.js";
import { formatExpression } from "../../src/dsl/filter/format.js";
import { sizeOf } from "../../src/dsl/filter/nesting.js";
import { parseFilter } from "../../src/dsl/filter/parse.js";
import { printFilter } from "../../src/dsl/filter/print.js";
import { reportInvisible } from "../../src/dsl/invisible.js";
import { filters, LISTS } from "../support/filter-arbitrary.js";
import { policyText, read, readFilter, withoutSpans } from "../support/read.js";
import { COMMENT, respelled } from "../support/respell.js";

/** Conditions with one mistake each, which stands in « ». */
const MISTAKES: readonly (readonly [code: string, marked: string])[] = [
  ["TG1100", "a == «tcp»"],
  ["TG1100", "a «b»"],
  ["TG1100", "a in {1 «or» 2}"],
  ["TG1101", "a «=» 1"],
  ["TG1101", "a == «\u{1F30A}» 1"],
  ["TG1103", 'a == "\u{1F30A}«\\q»"'],
  ["TG1106", "«lower»(a) == 1"],
  ["TG1108", "a in «$b»"],
  ["TG1110", "a == «10.0.0.256»"],
  ["TG1114", "a in {«90..80»}"],
  ["TG1116", 'a in {1..2 «"ü".."\u{1F30A}"»}'],
  ["TG1120", "a == ${«true»}"],
];

/** What moves places about: several code units for one character, several characters for one line break, escapes. */
const ODD = fc.constantFrom(
  " ",
  "\t",
  "\r\n",
  "\n\r",
  "# \u{1F30A} ü\n",
  "# \\` \\${ \\u{1F30A} \\x41\n",
  "# ${'\u{1F30A}'}\r\n",
  "\u00a0\u3000",
);

test("a mistake is found where it is, whatever stands around it", () => {
  const parts = [
    fc.constantFrom(...MISTAKES),
    filters,
    filters,
    fc.array(ODD),
    fc.array(ODD),
    fc.boolean(),
  ] as const;
  fc.assert(
    fc.property(...parts, ([code, marked], before, after, space, more, mark) => {
      const [one, other] = [before, after].map((filter) => `(${printFilter(filter)})`);
      const text = policyText(`${one}${space.join("")} and ${marked}${more.join("")} or ${other}`, LISTS);
      const whole = `${mark ? "\ufeff" : ""}// \u{1F30A}\r\n${text}`;
      const under = /«(.*?)»/s.exec(whole)?.[1] ?? "";
      const { seen } = read(whole.replace(/[«»]/g, ""));
      expect(seen.map(({ code, under, start }) => ({ code, under, start }))).toEqual([
        { code, under, start: whole.indexOf("«") },
      ]);
    }),
    { numRuns: 300 },
  );
});

const WORDS = [
  ..."a ip.src tcp.flags.syn bit_slice payload.u8 80 08 10.0.0.1 10.0.0.0/8 fe80::1 $list".split(" "),
  ...'"t" "t \'t\' r"x" = == != < & ~ | || ^ ! not and or xor in contains wildcard between AND'.split(" "),
  ...["(", "(", ")", ")", "{", "{", "}", "}", "..", "...", ",", "[", "\\", "\u{1F30A}", "\uE000", "#", "\n"],
];
const soup = fc.array(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...WORDS) }, fc.string({ unit: "binary" })),
  {
    size: "+1",
  },
);

test("any text is an expression or has mistakes, and all of them are inside it", () => {
  fc.assert(
    fc.property(soup, (words) => {
      const text = words.join(" ");
      const source = new SourceFile("soup", `${text}\``);
      const diagnostics = new Diagnostics();
      // As a policy file is read: what cannot be seen is reported once, for the whole file.
      reportInvisible(source, [], diagnostics);
      const filter = parseFilter({ source, start: 0, end: text.length, holes: [] }, diagnostics);
      expect(diagnostics.hasErrors || unknownParts(filter).length === 0).toBe(true);
      for (const { span } of diagnostics.all) {
        expect(span.start).toBeLessThan(span.end);
        expect(span.end).toBeLessThanOrEqual(text.length + 1);
      }
      expect(sizeOf(filter).depth).toBeLessThan(140);
    }),
    { numRuns: 2000, examples: [[["\u{E0000}"]], [["a", "\u202E"]]] },
  );
});

describe("formatting", () => {
  /** Interpolations, which may hold braces in strings. */
  const holesOf = (text: string) =>
    [...text.matchAll(/\$\{(?:"(?:\\.|[^"\\])*"|[^"}])*\}/g)].map(({ index, 0: hole }) => ({
      start: index,
      end: index + hole.length,
    }));

  test("keeps the meaning and the comments, and is done after one time", () => {
    const options = fc.record({ indent: fc.nat(8), width: fc.integer({ min: 10, max: 120 }) });
    fc.assert(
      fc.property(filters, fc.infiniteStream(fc.nat(5)), options, (written, choices, options) => {
        const text = respelled(printFilter(written), choices);
        const formatted = formatExpression({ text, holes: holesOf(text) }, options) ?? "";
        const { filter, seen } = readFilter(formatted, LISTS);
        expect(seen).toEqual([]);
        expect(withoutSpans(filter)).toEqual(withoutSpans(written));
        expect(formatted.split(COMMENT).length).toBe(text.split(COMMENT).length);
        expect(formatExpression({ text: formatted, holes: holesOf(formatted) }, options)).toBe(formatted);
      }),
      { numRuns: 400 },
    );
  });
});

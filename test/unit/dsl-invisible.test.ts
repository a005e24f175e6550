import { describe, expect, test } from "vitest";
import { analyze } from "../../src/compiler/compile.js";
import { policyOf, readProject } from "../support/modules.js";

/** What a text holds that its readers do not see, by its code point. */
function invisibleIn(declarations: string): readonly string[] {
  const { reported } = readProject(`${declarations}\n${policyOf('"a"')}`);
  return reported.filter(({ code }) => code === "TG1006").map(({ at }) => codePoint(at.slice(-1)));
}

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}

describe("characters that nobody sees (TG1006)", () => {
  test.each([
    ["an override in a comment", "// \u202e)emos", ["202e"]],
    ["isolates in a comment of several lines", "/* a\n \u2066 b \u2069 */", ["2066", "2069"]],
    ["an override in a text", 'const a = "\u202eb";', ["202e"]],
    ["a zero-width space in a text", 'const a = "a\u200bb";', ["200b"]],
    ["a zero-width joiner in a name", "const a\u200d = 1;", ["200d"]],
    ["a soft hyphen in an expression", "const a = expr`tcp.dstport == 80 # a\u00adb`;", ["ad"]],
    ["a byte order mark between statements", "const a = 1;\ufeff const b = 2;", ["feff"]],
    ["a letter without a shape", "const \u3164 = 1;", ["3164"]],
  ])("%s", (_, text, found) => expect(invisibleIn(text)).toEqual(found));

  test.each([
    [
      "joined emoji and joined letters in comments",
      "// \u{1F469}\u200d\u{1F4BB} \u0646\u200c\u0627 \u2764\ufe0f",
    ],
    [
      "writing from right to left, without controls",
      'const a = "\u05e9\u05dc\u05d5\u05dd"; // \u0633\u0644\u0627\u0645',
    ],
    ["an escape, which can be seen", 'const a = "\\u202e\\u200b";'],
    ["spaces and line ends of all kinds", "const a = 1;\t\u00a0\r\nconst b = 2;\u2028"],
  ])("but not: %s", (_, text) => expect(invisibleIn(text)).toEqual([]));

  test("a byte order mark at the start of the file belongs to the encoding", () => {
    const { diagnostics } = analyze("a.policy.ts", "\ufeffconst a = 1;");
    expect(diagnostics.map(({ code }) => code)).toEqual(["TG1050"]);
  });

  test("JSON: everywhere but at the start", () => {
    const main = `import data from "./data.json";\nconst a = list(data);\n${policyOf('"a"')}`;
    const { reported } = readProject(main, { "data.json": '\ufeff["192.0.2.1", "\u202e192.0.2.2"]' });
    expect(reported.map(({ code, at, hint }) => [code, at, hint])).toEqual([
      ["TG1006", "data.json \u202e", 'leave it out, or write it as an escape such as "\\u200b"'],
    ]);
  });
});

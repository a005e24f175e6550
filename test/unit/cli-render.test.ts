import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/cli/exit.js";
import { readPacket } from "../../src/cli/packets.js";
import { renderPretty } from "../../src/cli/render/pretty.js";
import { underline } from "../../src/cli/render/underline.js";
import { diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";

/** The text with the carets' line under it, for the part between « and ». */
function under(marked: string): string {
  const text = marked.replace(/[«»]/g, "");
  const { before, carets } = underline(text, marked.indexOf("«"), marked.indexOf("»") - 1);
  return before + carets;
}

describe("carets stand under what they mark", () => {
  test.each([
    ["ip.src == «x»", "          ^"],
    ["\tip.«src»", "\t   ^^^"],
    ["«»x", "^"],
    ["日本 «x»", "     ^"],
    ["«日本»", "^^^^"],
    ["👍 «x»", "   ^"],
    ["e\u0301 «x»", "  ^"],
    ["\u001b[2J«x»", "    ^"],
  ])("%j", (marked, expected) => expect(under(marked)).toBe(expected));

  test("in the text of a packet", () => {
    const text = "udp\t1.2.3.4:5 > 日:53";
    expect(() => readPacket(text, 0n)).toThrow(UsageError);
    expect(() => readPacket(text, 0n)).toThrow(`  ${text}\n     \t            ^^^^^`);
  });
});

describe("a diagnostic", () => {
  const render = (text: string, start: number, end: number, name: string) => {
    const source = new SourceFile("a.policy.ts", text);
    return renderPretty(diagnostic("TG1020", source.span(start, end), { name }), source);
  };

  test("is a message, a place and the marked line", () => {
    expect(stripVTControlCharacters(render("const a = 1;\nconst b = c;\n", 23, 24, "c"))).toBe(
      "error[TG1020]: unknown name `c`\n  a.policy.ts:2:11\n   2 | const b = c;\n     |           ^\n" +
        '  hint: declare it with `const`, or import it from "tidegate"',
    );
  });

  test("counts no column for a byte order mark, and shows none", () => {
    const shown = stripVTControlCharacters(render("\ufeffconst b = c;", 11, 12, "c"));
    expect(shown).toContain("a.policy.ts:1:11\n   1 | const b = c;\n     |           ^");
  });

  test("does nothing to the terminal that its text would do", () => {
    const evil = "\u001b]0;title\u0007\u202e\r\n";
    const shown = render(`const b = "${evil.slice(0, -2)}";`, 0, 5, evil);
    expect(stripVTControlCharacters(shown)).toContain(
      "unknown name `\ufffd]0;title\ufffd\ufffd\ufffd\ufffd`",
    );
    expect(shown).not.toContain("\u0007");
    expect(shown).not.toContain("\u202e");
  });
});

import { stripVTControlCharacters } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { UsageError } from "../../src/cli/exit.js";
import { readPacket } from "../../src/cli/packets.js";
import { renderGithub } from "../../src/cli/render/machine.js";
import { renderPretty } from "../../src/cli/render/pretty.js";
import { printProblem } from "../../src/cli/render/problem.js";
import { sourcesOf } from "../../src/cli/render/sources.js";
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
    ["a\t«b\tc»", " \t^\t^"],
    ["a«\t»b", " ^"],
  ])("%j", (marked, expected) => expect(under(marked)).toBe(expected));

  test("in the text of a packet", () => {
    const text = "udp\t1.2.3.4:5 > 日:53";
    expect(() => readPacket(text, 0n)).toThrow(UsageError);
    expect(() => readPacket(text, 0n)).toThrow(`  ${text}\n     \t            ^^^^^`);
  });
});

test("the name of a file that stops a command does nothing to the terminal", () => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  expect(printProblem(new UsageError("cannot read \u001b]0;x\u0007\n  second\tline"))).toBe(2);
  const [line] = printed.mock.calls[0] ?? [];
  vi.restoreAllMocks();
  expect(stripVTControlCharacters(String(line))).toBe(
    "tidegate: cannot read \ufffd]0;x\ufffd\n  second\tline",
  );
});

/** A half of a surrogate pair without the other. */
const HALF = /\p{Surrogate}/u;

describe("a long line is cut around what is marked", () => {
  const marked = (before: number, mark: number, behind: number) => {
    const text = `${"-".repeat(before)}${"x".repeat(mark)}${"-".repeat(behind)}`;
    return underline(text, before, before + mark);
  };

  test.each([
    ["at the start", marked(0, 5, 1000), 0, 5, /^xxxxx-{155}…$/],
    ["in the middle", marked(1000, 5, 1000), 61, 5, /^…-{60}xxxxx-{95}…$/],
    ["at the end", marked(1000, 5, 0), 156, 5, /^…-{155}xxxxx$/],
    ["and what is marked too", marked(1000, 500, 1000), 61, 100, /^…-{60}x{100}…$/],
  ])("%s", (_, { line, before, carets }, spaces, width, expected) => {
    expect(line).toMatch(expected);
    expect([before.length, carets]).toEqual([spaces, "^".repeat(width)]);
  });

  test("and no character is torn apart", () => {
    for (const shift of [0, 1]) {
      const { line } = underline(`${"-".repeat(shift)}${"👍".repeat(300)}`, 300, 302);
      expect(line).not.toMatch(HALF);
    }
  });
});

describe("a span over several lines", () => {
  const shown = (lines: readonly string[]) => {
    const text = lines.join("\n");
    const source = new SourceFile("a.policy.ts", text);
    const span = source.span(text.indexOf("["), text.indexOf("]") + 1);
    const rendered = renderPretty(diagnostic("TG1053", span, {}), sourcesOf([source]));
    return stripVTControlCharacters(rendered).split("\n").slice(2);
  };

  test("is marked on each of its lines, and not on their indentation", () => {
    expect(shown(["const a = [", "  80,", "", "];"])).toEqual([
      "   1 | const a = [",
      "     |           ^",
      "   2 |   80,",
      "     |   ^^^",
      "   3 |",
      "   4 | ];",
      "     | ^",
    ]);
  });

  test("shows its first and last line when it is long", () => {
    expect(shown(["const a = [", "1,", "2,", "3,", "4];"])).toEqual([
      "   1 | const a = [",
      "     |           ^",
      "     …",
      "   5 | 4];",
      "     | ^^",
    ]);
  });
});

describe("further places", () => {
  const entry = new SourceFile("a.policy.ts", "const a = b;");
  const lists = new SourceFile("lists/web.ts", "export const web = 1;");
  const found = diagnostic(
    "TG1020",
    entry.span(10, 11),
    { name: "b" },
    {
      related: [
        { span: lists.span(13, 16), text: "defined here" },
        { span: entry.span(6, 7), text: "used here" },
      ],
    },
  );
  const render = (...sources: readonly SourceFile[]) =>
    stripVTControlCharacters(renderPretty(found, sourcesOf(sources)))
      .split("\n")
      .slice(4);

  test("are marked in their own files, which are named where they are others", () => {
    expect(render(entry, lists)).toEqual([
      "  note: defined here",
      "  lists/web.ts:1:14",
      "   1 | export const web = 1;",
      "     |              ^^^",
      "  note: used here",
      "   1 | const a = b;",
      "     |       ^",
      expect.stringContaining("hint:"),
    ]);
  });

  test("in a file that is not at hand are only named", () => {
    expect(render(entry).slice(0, 3)).toEqual([
      "  note: defined here",
      "  lists/web.ts:1:14",
      "  note: used here",
    ]);
  });
});

describe("texts are bounded", () => {
  const long = "x".repeat(100_000);

  test.each([
    [
      "a value in the message",
      diagnostic("TG1020", new SourceFile("a", "").span(0, 0), { name: long }).message,
    ],
    ["a hint", diagnostic("TG1053", new SourceFile("a", "").span(0, 0), {}, { hint: long }).hint ?? ""],
  ])("%s", (_, text) => {
    expect(text.length).toBeLessThan(450);
    expect(text).toMatch(/x…x/);
  });

  test("and no character is torn apart", () => {
    const name = `x${"👍".repeat(1000)}`;
    expect(diagnostic("TG1020", new SourceFile("a", "").span(0, 0), { name }).message).not.toMatch(HALF);
  });
});

test("a workflow command of GitHub cannot be broken out of", () => {
  const source = new SourceFile("a,b:c%.ts", "x");
  const found = diagnostic("TG1020", source.span(0, 1), { name: "%\r\n::error::x" });
  expect(renderGithub(found)).toBe(
    "::error file=a%2Cb%3Ac%25.ts,line=1,col=1,endLine=1,endColumn=2,title=TG1020::unknown name `%25\ufffd%0A::error::x`" +
      '%0Ahint: declare it with `const`, or import it from "tidegate"',
  );
});

describe("a diagnostic", () => {
  const render = (text: string, start: number, end: number, name: string) => {
    const source = new SourceFile("a.policy.ts", text);
    return renderPretty(diagnostic("TG1020", source.span(start, end), { name }), sourcesOf([source]));
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

import { expect, test } from "vitest";
import { journal, type Level } from "../../runtime/daemon/journal.js";

function lineOf(level: Level, text: string, environment: NodeJS.ProcessEnv): string {
  const lines: string[] = [];
  journal((line) => lines.push(line), environment)(level, text);
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

const JOURNAL = { JOURNAL_STREAM: "8:1" };

test.each<[Level, number]>([
  ["error", 3],
  ["warning", 4],
  ["info", 6],
])("%s has its priority for journald, and the time in front elsewhere", (level, priority) => {
  expect(lineOf(level, "acme: removed", JOURNAL)).toBe(`<${priority}>acme: removed\n`);
  expect(lineOf(level, "acme: removed", {})).toMatch(
    new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z ${level}: acme: removed\\n$`),
  );
});

test.each(["\n<3>globex: removed", "\r", "\u2028", "\u0085", "\u001b[2J", "\u202e"])(
  "what others have written cannot look like a line of its own: %j",
  (text) => {
    const line = lineOf("info", `acme: ${text} no memory `, JOURNAL);
    expect(line).toMatch(/^<6>acme: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*no memory\n$/u);
  },
);

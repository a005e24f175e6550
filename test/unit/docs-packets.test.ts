import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { FLAG_LETTERS } from "../../src/compiler/semantics/packet-values.js";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/packets.md"), "utf8");

function block(heading: RegExp): readonly string[] {
  return (heading.exec(PAGE)?.[1] ?? "").split("\n");
}

/** The table of packet kinds, and the examples. */
const PACKETS = [
  ...[...PAGE.matchAll(/^\| `((?:tcp|udp|icmp6?|proto=|hex=)[^`]*)` \|/gm)].map(([, text = ""]) => text),
  ...block(/## Examples\n\n```\n(.*?)\n```/s),
];
const MISTAKES = block(/```mistake\n(.*?)\n```/s);

describe("docs/packets.md", () => {
  test("has examples of every kind", () => {
    expect(PACKETS).toHaveLength(6 + 11);
    expect(MISTAKES).toHaveLength(2 * 4);
  });

  test.each(PACKETS)("%s", (text) => {
    expect(parsePacket(text)).toMatchObject({ kind: "packet" });
  });

  test.each(
    MISTAKES.flatMap((text, index) => (index % 2 === 0 ? [[text, MISTAKES[index + 1]?.trim()]] : [])),
  )("%s: %s", (text, message) => {
    const parsed = parsePacket(text ?? "");
    const problems = parsed.kind === "problems" ? parsed.problems : [];
    expect(problems.map((problem) => problem.message)).toEqual([message]);
  });

  test("names every option, flag and state", () => {
    const parsed = parsePacket("tcp 192.0.2.7:1 > 203.0.113.9:2 x");
    const [, keys = ""] =
      /keys here are (.*)/.exec(parsed.kind === "problems" ? (parsed.problems[0]?.message ?? "") : "") ?? [];
    const documented = [...keys.split(", "), "type", "code"].map((key) => `\`${key}=`);
    const letters = Object.keys(FLAG_LETTERS).map((letter) => `\`${letter}\` `);
    const states = Object.keys(CT_STATES).map((state) => `\`${state}\``);
    for (const word of [...documented, ...letters, ...states]) expect(PAGE).toContain(word);
    expect(documented).toHaveLength(12);
  });
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions stand here as text
import { describe, expect, test } from "vitest";
import type { Span } from "../../src/compiler/diagnostics/span.js";
import { printFilter } from "../../src/dsl/filter/print.js";
import { policyText, readFilter, withoutSpans } from "../support/read.js";

function printed(expression: string, declarations = ""): string {
  const { filter, seen } = readFilter(expression, declarations);
  expect(seen).toEqual([]);
  return filter ? printFilter(filter) : "nothing";
}

describe("an expression in its canonical spelling", () => {
  test.each([
    // Operators in both spellings.
    ["tcp.dstport eq 80", "tcp.dstport == 80"],
    ["tcp.dstport==80", "tcp.dstport == 80"],
    ["tcp.dstport ne 80", "tcp.dstport != 80"],
    ["tcp.dstport != 80", "tcp.dstport != 80"],
    ["tcp.dstport lt 80", "tcp.dstport < 80"],
    ["tcp.dstport < 80", "tcp.dstport < 80"],
    ["tcp.dstport le 80", "tcp.dstport <= 80"],
    ["tcp.dstport <= 80", "tcp.dstport <= 80"],
    ["tcp.dstport gt 80", "tcp.dstport > 80"],
    ["tcp.dstport > 80", "tcp.dstport > 80"],
    ["tcp.dstport ge 80", "tcp.dstport >= 80"],
    ["tcp.dstport >= 80", "tcp.dstport >= 80"],
    ["tcp.flags bitwise_and 0x12", "tcp.flags & 18"],
    ["tcp.flags & 0x12", "tcp.flags & 18"],
    ["!tcp.flags.syn", "not tcp.flags.syn"],
    ["not !tcp.flags.syn", "not not tcp.flags.syn"],
    ["a && b", "a and b"],
    ["a ^^ b", "a xor b"],
    ["a || b", "a or b"],
    // Precedence: not > and > xor > or.
    ["a or b and c", "a or b and c"],
    ["(a or b) and c", "(a or b) and c"],
    ["(a and b) or c", "a and b or c"],
    ["a xor b or c", "a xor b or c"],
    ["a xor (b or c)", "a xor (b or c)"],
    ["a and (b xor c)", "a and (b xor c)"],
    ["not a and b", "not a and b"],
    ["not (a and b)", "not (a and b)"],
    ["(a and b) and c", "(a and b) and c"],
    // Numbers, addresses, prefixes, text.
    ["x == 0x1F", "x == 31"],
    ["x == 017", "x == 15"],
    ["x == 0", "x == 0"],
    ["x == 340282366920938463463374607431768211455", "x == 340282366920938463463374607431768211455"],
    ["ip.src == 192.0.2.1", "ip.src == 192.0.2.1"],
    ["ip.src == 2001:DB8:0::1", "ip.src == 2001:db8::1"],
    ["ip.src == ::", "ip.src == ::"],
    ["ip.src == ::ffff:192.0.2.1", "ip.src == ::ffff:c000:201"],
    ["ip.src == abcd::", "ip.src == abcd::"],
    ['ip.proto == "tcp"', 'ip.proto == "tcp"'],
    ['x == "# { } ( not a comment"', 'x == "# { } ( not a comment"'],
    // Texts know the escapes of the Rules language, and those that a template needs; raw texts know none.
    ['x == "\\x41\\x42"', 'x == "AB"'],
    ['x == "a\\"b"', 'x == ${"a\\"b"}'],
    ['x == "a\\\\b"', 'x == ${"a\\\\b"}'],
    ['x == "\\`\\${y}"', 'x == ${"`${y}"}'],
    ['x == r"a # b"', 'x == "a # b"'],
    ['x == r#"say "hi""#', 'x == ${"say \\"hi\\""}'],
    // Functions of the packet.
    ["bit_slice( udp ,64, 0x60 )==1", "bit_slice(udp, 64, 96) == 1"],
    ["bit_slice(tcp, 0, 4) & 1 and not payload.u8(3)", "bit_slice(tcp, 0, 4) & 1 and not payload.u8(3)"],
    ["payload.u16(0) in {1 3..5} or payload.u32()<=2", "payload.u16(0) in {1 3..5} or payload.u32() <= 2"],
    // Operators of texts; whether a field is one, the types say.
    ['x contains "a" and x matches "b" or x ~ "c"', 'x contains "a" and x matches "b" or x matches "c"'],
    // Sets.
    ["tcp.dstport in {80}", "tcp.dstport in {80}"],
    ["tcp.dstport in {}", "tcp.dstport in {}"],
    ["tcp.dstport in{80 443 8000..8010}", "tcp.dstport in {80 443 8000..8010}"],
    ["x in { 1 .. 5 }", "x in {1..5}"],
    [
      "ip.src in {10.0.0.0/8 192.0.2.1..192.0.2.9 fe80::/10 ::1..::5 fe80::1..fe80::2}",
      "ip.src in {10.0.0.0/8 192.0.2.1..192.0.2.9 fe80::/10 ::1..::5 fe80::1..fe80::2}",
    ],
    ['ip.proto in {"tcp" "udp" 47}', 'ip.proto in {"tcp" "udp" 47}'],
    // Space and comments.
    ["a # ${80} and so on", "a"],
    ["\n  a\t# first\r\n  and # second\n b", "a and b"],
    // Names that begin like operators.
    ["notice and index and order and xorbit and eq.x", "notice and index and order and xorbit and eq.x"],
  ])("%s", (expression, canonical) => {
    expect(printed(expression)).toBe(canonical);
  });
});

test("a chain is one flat node, parentheses make another", () => {
  expect(withoutSpans(readFilter("a and b and (c and d)").filter)).toMatchObject({
    kind: "and",
    operands: [{ kind: "flag" }, { kind: "flag" }, { kind: "and", operands: [{}, {}] }],
  });
});

describe("interpolation puts typed values into the tree", () => {
  test.each([
    ["const x = 80;", "tcp.dstport == ${x}", "tcp.dstport == 80"],
    ["const x = 80;", "tcp.dstport in {20 ${x} ${x}..${x + 10}}", "tcp.dstport in {20 80 80..90}"],
    ["const x = 0x12;", "tcp.flags & ${x}", "tcp.flags & 18"],
    ['const x = "192.0.2.1";', "ip.src == ${x}", "ip.src == 192.0.2.1"],
    ['const x = "192.0.2.0/24";', "ip.src in {${x}}", "ip.src in {192.0.2.0/24}"],
    ['const x = "tcp";', "ip.proto == ${x}", 'ip.proto == "tcp"'],
    ["const x = 3;", "payload.u8(${x}) == ${x}", "payload.u8(3) == 3"],
    ["const x = [80, 443];", "tcp.dstport in ${x}", "tcp.dstport in {80 443}"],
    ["const x = [80, 443];", "tcp.dstport in {22 ${x} 8080}", "tcp.dstport in {22 80 443 8080}"],
    ["const x: string[] = [];", "ip.src in ${x}", "ip.src in {}"],
    ['const x = list(["192.0.2.1"]);', "ip.src in ${x}", "ip.src in ${x}"],
    ["const x = expr`a or b`;", "${x} and c", "(a or b) and c"],
    ["const x = expr`a or b`;", "not ${x}", "not (a or b)"],
    // What looks like syntax stays one value.
    [
      `const x = "80} or tcp.dstport in {1";`,
      "tcp.dstport == ${x}",
      'tcp.dstport == "80} or tcp.dstport in {1"',
    ],
    [`const x = 'a" or "b';`, "x == ${x}", 'x == ${"a\\" or \\"b"}'],
  ])("%s %s", (declarations, expression, canonical) => {
    expect(printed(expression, declarations)).toBe(canonical);
  });

  test("rules that name one list share one object, called like its constant", () => {
    const declarations = 'export const partners = list(["192.0.2.1"]) satisfies object;';
    const { filter } = readFilter("ip.src in ${partners} or ip.dst in ${partners}", declarations);
    const lists =
      filter?.kind === "or" ? filter.operands.map((f) => (f.kind === "inList" ? f.list : null)) : [];
    expect(lists[0]).toMatchObject({ name: "partners", items: [{ value: "192.0.2.1" }] });
    expect(lists[1]).toBe(lists[0]);
  });

  test("a list that no constant holds is called list", () => {
    expect(printed('ip.src in ${list(["192.0.2.1"])}')).toBe("ip.src in ${list}");
    const inside = 'const lists = { partners: list(["192.0.2.1"]) };';
    expect(printed("ip.src in ${lists.partners}", inside)).toBe("ip.src in ${list}");
  });
});

/** The text under every span of a tree, from the root to the leaves. */
function underlined(expression: string): readonly string[] {
  const text = policyText(expression);
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("span" in value) {
      const { start, end } = value.span as Span;
      texts.push(text.slice(start, end));
    }
    for (const [key, part] of Object.entries(value)) if (key !== "span") visit(part);
  };
  visit(readFilter(expression).filter);
  return texts;
}

describe("places are those of the file", () => {
  test.each<[string, readonly string[]]>([
    ["# \u{1F30A} ü\n a == 80", ["a == 80", "a", "80"]],
    ["a == ${\n80\n} and b", ["a == ${\n80\n} and b", "a == ${\n80\n}", "a", "${\n80\n}", "b", "b"]],
    ["(a or b) and c", ["(a or b) and c", "a or b", "a", "a", "b", "b", "c", "c"]],
    ["not (a in {1..2})", ["not (a in {1..2})", "a in {1..2}", "a", "1..2", "1", "2"]],
    ["a in ${[1, 22]}", ["a in ${[1, 22]}", "a", "1", "22"]],
    ["payload.u8(3) == 80", ["payload.u8(3) == 80", "payload.u8(3)", "3", "80"]],
    ["bit_slice(tcp, 1, 2)", ["bit_slice(tcp, 1, 2)", "bit_slice(tcp, 1, 2)", "tcp", "1", "2"]],
    [
      'a == "\\`\\x41ü\u{1F30A}" and b',
      ['a == "\\`\\x41ü\u{1F30A}" and b', 'a == "\\`\\x41ü\u{1F30A}"', "a", '"\\`\\x41ü\u{1F30A}"', "b", "b"],
    ],
    ["a &\r\n0x1", ["a &\r\n0x1", "a", "0x1"]],
  ])("%j", (expression, texts) => {
    expect(underlined(expression)).toEqual(texts);
  });

  test("lines and columns count what the editor counts", () => {
    const { filter } = readFilter("# \u{1F30A} ü\n a == 80");
    expect(filter?.span).toMatchObject({ line: 7, column: 2, endLine: 7, endColumn: 9 });
  });
});

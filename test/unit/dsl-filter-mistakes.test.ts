// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions stand here as text
import { describe, expect, test } from "vitest";
import { analyze } from "../../src/compiler/compile.js";
import { EXPRESSIONS } from "../../src/compiler/diagnostics/catalogue/expressions.js";
import { policyText, read } from "../support/read.js";

/** Code, expression with the underlined part in « », and a part of the hint (null: that of the catalogue). */
type Row = readonly [code: string, marked: string, hint: string | null];

const CONDITIONS: readonly Row[] = [
  ["TG1100", "«`»", null],
  ["TG1100", "# nothing\n«`»", null],
  ["TG1100", "a and «)»", "nothing is open"],
  ["TG1100", "a«)»", "nothing is open"],
  ["TG1100", "a and «and» b", null],
  ["TG1100", "a or«`»", null],
  ["TG1100", "(a or b«`»", null],
  ["TG1100", "((a or «`»", null],
  ["TG1100", "(«)»", null],
  ["TG1100", "tcp.dstport == 80 «udp.dstport» == 53", "with `and` or `or`"],
  ["TG1100", "(a) «b»", "with `and` or `or`"],
  ["TG1100", "a «b» and c", "as in `ip.src == 192.0.2.1`"],
  ["TG1100", "${expr`a`} «${expr`b`}»", "with `and` or `or`"],
  ["TG1100", "«${80}»", null],
  ["TG1100", "«true»", "`ip.version in {4 6}`"],
  ["TG1100", "a and not «false»", "leave out"],
];

const OPERATORS: readonly Row[] = [
  ["TG1100", "tcp.dstport «80»", null],
  ["TG1100", "«==» 80", "the field comes first"],
  ["TG1100", "«80» == tcp.dstport", "the field comes first"],
  ["TG1100", "tcp.dstport == 80 or «443»", "`tcp.dstport in {80 443}`"],
  ["TG1100", "tcp.dstport == 80 «443»", "`in {80 443}`"],
  ["TG1100", "tcp.flags & 0x12 «==» 2", "one operator"],
  ["TG1100", "«80» < tcp.dstport", "the field comes first"],
  ["TG1100", "tcp.flags.syn & «tcp.flags.ack»", "joined with `and`"],
  ["TG1100", "ip.src «not» in {10.0.0.0/8}", "`not ip.src in {…}`"],
  ["TG1100", "ip.src «is» 192.0.2.1", "`==`"],
  ["TG1100", "tcp.dstport «between» 80 and 90", "`in {80..90}`"],
  ["TG1101", "a «AND» b", "`and`"],
  ["TG1101", "tcp.dstport «EQ» 80", "`eq`"],
  ["TG1101", "ip.src «In» {10.0.0.0/8}", "`in`"],
  ["TG1101", "tcp.dstport «=» 80", "`==`"],
  ["TG1101", "tcp.dstport «===» 80", "`==`"],
  ["TG1101", "tcp.dstport «:=» 80", "`==`"],
  ["TG1101", "tcp.dstport «!==» 80", "`!=`"],
  ["TG1101", "tcp.dstport «<>» 80", "`!=`"],
  ["TG1101", "tcp.dstport «≠» 80", "`!=`"],
  ["TG1101", "tcp.dstport «=>» 80", "`>=`"],
  ["TG1101", "tcp.dstport «≥» 80", "`>=`"],
  ["TG1101", "tcp.dstport «=<» 80", "`<=`"],
  ["TG1101", "tcp.dstport «≤» 80", "`<=`"],
  ["TG1101", 'ip.proto «=~» "t"', "`matches`"],
  ["TG1101", "a «|» b", "`or`"],
  ["TG1101", "a «^» b", "`xor`"],
  ["TG1101", "a «;» b", "`and` or `or`"],
  ["TG1105", 'ip.src «wildcard» "10.*"', "prefix"],
  ["TG1105", 'ip.src «strict wildcard» "10.*"', "prefix"],
];

const FUNCTIONS: readonly Row[] = [
  ["TG1100", "bit_slice(tcp «0» 8) == 1", null],
  ["TG1100", "payload.u8(3 «==» 5", null],
  ["TG1100", "payload.u8(«{»3}) == 5", null],
  ["TG1100", "payload.u8(0, «)» == 5", null],
  ["TG1110", "payload.u8(«-1») == 5", "never negative"],
  ["TG1106", "«lower»(ip.proto)", "the value itself"],
  ["TG1106", "ip.src in {10.0.0.0/8} and «cidr»(ip.src, 24, 64)", "the prefix itself"],
  ["TG1106", "«bit_slise»(tcp, 0, 8) == 1", "`bit_slice`"],
  ["TG1106", "«payload.u64»(0) == 1", "`payload.u"],
  ["TG1106", "«foo»() == 1", null],
  ["TG1107", "«bit_slice» == 1", null],
  ["TG1107", "a and «payload.u8»", null],
];

const VALUES: readonly Row[] = [
  ["TG1100", "tcp.dstport ==«`»", null],
  ["TG1100", "ip.proto == «tcp»", '"tcp"'],
  ["TG1100", "ip.src == «ip.dst»", "not with another field"],
  ["TG1100", "tcp.flags.syn == «true»", "write `tcp.flags.syn`"],
  ["TG1100", "tcp.flags.syn == «false»", "write `not tcp.flags.syn`"],
  ["TG1100", "tcp.dstport == «${[80]}»", "`in ${[80]}`"],
  ["TG1100", 'ip.src == «${list(["192.0.2.1"])}»', "`in ${list"],
  ["TG1101", "a and «\u{1F30A}»", null],
  ["TG1101", "ip.s«\u0433»c == 192.0.2.1", "U+0433"],
  ["TG1006", "a«\u200b» and b", null],
  ["TG1101", "a«\u0001» and b", "cannot be seen"],
  ["TG1101", "ip.proto == «'tcp'»", '"tcp"'],
  ["TG1101", "ip.proto == «“tcp”»", '"tcp"'],
  ["TG1101", "ip.proto == «'»tcp", '"tcp"'],
  ["TG1101", "ip.src == «*»", "prefix"],
  ["TG1101", "tcp«[»13] & 2", "`tcp.flags & 0x02`"],
  ["TG1101", "ip.src == 10.0.0.0 «/» 8", "without spaces"],
  ["TG1101", "tcp.dstport == 80 «+» 1", "interpolate it"],
  ["TG1101", 'ip.proto == «"${"tcp"}"»', "leave out the quotes"],
  ["TG1101", "a and «\uE000»", null],
  ["TG1101", "a == «${80}\uE001»", null],
  ["TG1102", 'ip.proto == «"tcp»', null],
  ["TG1102", 'ip.proto == «"tcp and b»\nand c', null],
  ["TG1103", "a and «\\»n", "only into texts"],
  ["TG1103", 'ip.proto == «\\"tcp\\"»', "no backslash"],
  ["TG1103", 'ip.proto == "a«\\q»b"', "\\x41"],
  ["TG1103", 'ip.proto == "«\\u»{41}"', null],
  ["TG1108", "ip.src in «$partners»", "`in ${partners}`"],
  ["TG1108", "ip.src in «@partners»", "`in ${partners}`"],
  ["TG1110", "ip.src == «10.0.0.256»", "0 to 255"],
  ["TG1110", "ip.src == «010.0.0.1»", "leading zero"],
  ["TG1110", "ip.src == «10.0.0»", "four parts"],
  ["TG1110", "ip.src == «fe80::1%eth0»", "zone"],
  ["TG1110", "ip.src == «00:11:22:33:44:55»", null],
  ["TG1110", "tcp.dstport == «080»", "`80`"],
  ["TG1110", "tcp.dstport == «10_000»", "`10000`"],
  ["TG1110", "tcp.dstport == «1e3»", "`1000`"],
  ["TG1110", "tcp.dstport == «1.5»", "whole"],
  ["TG1110", "tcp.dstport == «-1»", "never negative"],
  ["TG1110", "tcp.dstport == «0b11»", "hexadecimal"],
  ["TG1110", "tcp.dstport == «0x»", null],
  ["TG1110", "tcp.dstport == «80tcp»", null],
  ["TG1113", "ip.src == «10.0.0.0/8»", "`ip.src in {10.0.0.0/8}`"],
  ["TG1113", "ip.src != «10.0.0.0/8»", "`not ip.src in {10.0.0.0/8}`"],
  ["TG1113", 'ip.src < «${"10.0.0.0/8"}»', "one address"],
];

const SETS: readonly Row[] = [
  ["TG1100", "tcp.dstport in {80 443«`»", null],
  ["TG1100", "tcp.dstport in {80..«}»", null],
  ["TG1100", "tcp.dstport in {«..»80}", null],
  ["TG1100", "tcp.dstport in {80 «{»443}}", null],
  ["TG1100", "tcp.dstport in {80«,» 443, 8080}", "spaces"],
  ["TG1100", "tcp.dstport in {80 «or» 443}", "spaces"],
  ["TG1100", "tcp.dstport in {80 443 «and» b == 5", "close the set before `and`"],
  ["TG1100", "ip.proto in {«tcp» udp}", '"tcp"'],
  ["TG1100", "ip.src in «10.0.0.0/8»", "`in {10.0.0.0/8}`"],
  ["TG1100", "ip.src in «partners»", "`in ${partners}`"],
  ["TG1100", "tcp.dstport in «(»80 443)", "braces"],
  ["TG1100", "tcp.dstport == «{»80}", "`in`"],
  ["TG1100", "ip.src in «${80}»", "`in {${80}}`"],
  ["TG1100", 'ip.src in {10.0.0.1 «${list(["192.0.2.1"])}»}', "no member of a set"],
  ["TG1101", "tcp.dstport in {80 «...» 90}", "`..`"],
  ["TG1101", "tcp.dstport in {80«–»90}", "`..`"],
  ["TG1101", "a in «[»80 443]", "braces"],
  ["TG1110", "tcp.dstport in {«80-90»}", "`80..90`"],
  ["TG1110", "tcp.dstport in {«80:90»}", "`80..90`"],
  ["TG1110", "ip.src in {«10.0.0.1-10.0.0.9»}", "`10.0.0.1..10.0.0.9`"],
  ["TG1111", "ip.src in {«10.1.2.3/8»}", "`10.0.0.0/8`"],
  ["TG1111", "ip.src in {«2001:db8::1/32»}", "`2001:db8::/32`"],
  ["TG1111", 'ip.src in {${«"10.1.2.3/8"»}}', "`10.0.0.0/8`"],
  ["TG1112", "ip.src in {«10.0.0.0/33»}", null],
  ["TG1112", "ip.src in {«2001:db8::/129»}", null],
  ["TG1112", "ip.src in {«10.0.0.0/»}", null],
  ["TG1114", "tcp.dstport in {«90..80»}", "`80..90`"],
  ["TG1114", "ip.src in {«10.0.0.2..10.0.0.1»}", "`10.0.0.1..10.0.0.2`"],
  ["TG1115", "ip.src in {«10.0.0.1..fe80::1»}", null],
  ["TG1116", "ip.src in {«80..10.0.0.1»}", null],
  ["TG1116", 'ip.proto in {«"a".."b"»}', null],
  ["TG1116", "ip.src in {«10.0.0.0/8..11.0.0.0/8»}", null],
];

const NESTING: readonly Row[] = [
  ["TG1104", `${"(".repeat(128)}«(»a${")".repeat(129)}`, null],
  ["TG1104", `${"not ".repeat(128)}«not» a`, null],
];

const INTERPOLATIONS: readonly Row[] = [
  ["TG1120", "a == ${«true»}", "expr`…`"],
  ["TG1120", "a == ${«null»}", "no value"],
  ["TG1120", "a == ${«undefined»}", "no value"],
  ["TG1120", "a == ${«{ b: 1 }»}", "properties"],
  ["TG1120", "a == ${«drop»}", "call it"],
  ["TG1120", 'a == ${«drop("x", expr`b`)»}', "the expression of the rule"],
  ["TG1120", "a in ${[«{}»]}", null],
  ["TG1120", "a in ${[80, «[443]»]}", "flatten"],
  ["TG1120", "a in {${[«list([])»]}}", "no member of a set"],
  ["TG1120", "a in ${[«expr`a`»]}", "`and` and `or`"],
  ["TG1121", "a == ${«1.5»}", "Math.round"],
  ["TG1121", "a == ${«9007199254740993»}", "not exact"],
  ["TG1121", "a in ${[«-1»]}", "never negative"],
];

const ROWS = [...CONDITIONS, ...OPERATORS, ...FUNCTIONS, ...VALUES, ...SETS, ...NESTING, ...INTERPOLATIONS];

/** The closing backtick stands for the end of the expression. */
function policyWith(marked: string, declarations = ""): string {
  return marked.includes("«`»")
    ? policyText(marked.replace("«`»", ""), declarations).replace("`)]", "«`»)]")
    : policyText(marked, declarations);
}

function plain(marked: string): string {
  return marked.replace(/[«»]/g, "");
}

/** The marked places, with offsets in the unmarked text. */
function marks(marked: string): readonly { under: string; start: number }[] {
  return [...marked.matchAll(/«([^»]*)»/g)].map(({ index, 1: under = "" }) => ({
    under,
    start: plain(marked.slice(0, index)).length,
  }));
}

describe("a mistake is one diagnostic at its place", () => {
  test.each(ROWS)("%s %s", (code, marked, hint) => {
    const text = policyWith(marked);
    const { seen } = read(plain(text));
    expect(seen.map(({ code, under, start }) => ({ code, under, start }))).toEqual(
      marks(text).map((mark) => ({ code, ...mark })),
    );
    if (hint !== null) expect(seen[0]?.hint).toContain(hint);
  });

  test("every code of expressions has a mistake here", () => {
    const tested = new Set(ROWS.map(([code]) => code));
    expect(Object.keys(EXPRESSIONS).filter((code) => !tested.has(code))).toEqual([]);
  });
});

describe("several mistakes are reported at once, each once", () => {
  test.each<[marked: string, codes: readonly string[]]>([
    ["a «=» 1 «AND» b in {80«,» 443} «|» c", ["TG1101", "TG1101", "TG1100", "TG1101"]],
    ["tcp.dstport == 80 or «443» and ip.proto == «tcp» or x == «`»", ["TG1100", "TG1100", "TG1100"]],
    ["(a and «)» or b in {«08» 80} and not «==» 5", ["TG1100", "TG1110", "TG1100"]],
    ["((a «b») and c == «d») or «)»", ["TG1100", "TG1100", "TG1100"]],
    ["a in {«90..80» «10.0.0.256»} and b == «10.0.0.0/8»", ["TG1114", "TG1110", "TG1113"]],
    ["«foo»(1) == 2 and bit_slice(tcp «0» 8) == 1 or a «80»", ["TG1106", "TG1100", "TG1100"]],
    ["a == «'x'» and b == 1 and «and» c «?» d", ["TG1101", "TG1100", "TG1101"]],
    [
      'a in «$x» and b in {«1..fe80::1»} and c == "«\\q»" and «d»() == 1',
      ["TG1108", "TG1116", "TG1103", "TG1106"],
    ],
    ["(a == 1 or (b == 2 and c in {80 443«`»", ["TG1100"]],
  ])("%s", (marked, codes) => {
    const text = policyWith(marked);
    const { seen } = read(plain(text));
    expect(seen.map(({ under, start }) => ({ under, start }))).toEqual(marks(text));
    expect(seen.map(({ code }) => code)).toEqual(codes);
  });

  test("but no more than 16 of grammar in one expression", () => {
    const { seen } = read(policyText(Array.from({ length: 40 }, () => "a ==").join(" or ")));
    expect(seen).toHaveLength(16);
  });
});

test("what could be read is still checked", () => {
  const text = policyText(
    "ip.sorce == 192.0.2.1 and tcp.dstport == and udp.dtsport in {08} or ip.proto == 6x or tcp.flags.sny",
  );
  const { diagnostics } = analyze("test.policy.ts", text);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.map(({ code, span }) => [code, text.slice(span.start, span.end)])).toEqual([
    ["TG2001", "ip.sorce"],
    ["TG1100", "and"],
    ["TG2001", "udp.dtsport"],
    ["TG1110", "08"],
    ["TG1110", "6x"],
    ["TG2001", "tcp.flags.sny"],
  ]);
});

describe("the place of a value with no place in an expression", () => {
  test.each([
    ["const x = true;", "a == ${«x»}"],
    ["const x = { y: null };", "a == ${«x.y»}"],
  ])("%s %s", (declarations, marked) => {
    const text = policyText(marked, declarations);
    const { seen } = read(plain(text));
    expect(seen.map(({ under, start }) => ({ under, start }))).toEqual(marks(text));
  });
});

test("messages and hints are of bounded length, however long the mistake is", () => {
  const long = "x".repeat(5000);
  const expressions = [
    `a == ${long}`,
    `${long} ${long}`,
    `a == 1${long}`,
    `${long}(1) == 2`,
    `a == "${long}" "${long}"`,
    `a == '${long}'`,
    `a in $${long}`,
    `a in {"${long}".."${long}"}`,
    `a == 10.0.0.0/${"1".repeat(5000)}`,
    `a in {${"9".repeat(5000)}..1}`,
    `a == \${"${long}"} \${"${long}"}`,
    `a == ${"\u{1F30A}".repeat(5000)}`,
  ];
  for (const expression of expressions) {
    const { seen } = read(policyText(expression));
    expect(seen.length).toBeGreaterThan(0);
    for (const { message, hint } of seen) {
      expect(message.length).toBeLessThan(300);
      expect(hint?.length ?? 0).toBeLessThan(300);
    }
  }
});

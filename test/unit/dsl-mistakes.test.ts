// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { EXPRESSIONS } from "../../src/compiler/diagnostics/catalogue/expressions.js";
import { SHAPES } from "../../src/compiler/diagnostics/catalogue/shapes.js";
import { SYNTAX } from "../../src/compiler/diagnostics/catalogue/syntax.js";
import { IMPORTS, policyText, read } from "../support/read.js";

/** Code, text with the underlined part in « », and a part of the hint (null: none is given). */
type Row = readonly [code: string, marked: string, hint: string | null];

/** Mistakes inside expr`…`. */
const IN_EXPRESSIONS: readonly Row[] = [
  ["TG1100", "«`»", null],
  ["TG1100", "tcp.dstport «80»", null],
  ["TG1100", "tcp.dstport ==«`»", null],
  ["TG1100", "tcp.dstport == 80 or «443»", "`tcp.dstport in {80 443}`"],
  ["TG1100", "«80» == tcp.dstport", "the field comes first"],
  ["TG1100", "ip.proto == «tcp»", '"tcp"'],
  ["TG1100", "ip.src == «ip.dst»", "not with another field"],
  ["TG1100", "tcp.flags.syn == «true»", "write `tcp.flags.syn`"],
  ["TG1100", "tcp.flags.syn == «false»", "write `not tcp.flags.syn`"],
  ["TG1100", "a «AND» b", "`and`"],
  ["TG1100", "a and «)»", null],
  ["TG1100", "(a or b«`»", null],
  ["TG1100", "tcp.dstport in {80 443«`»", null],
  ["TG1100", "tcp.dstport in {80..«}»", null],
  ["TG1100", "ip.src in «10.0.0.0/8»", "`in {10.0.0.0/8}`"],
  ["TG1100", "tcp.dstport == «{»80}", "`in`"],
  ["TG1100", "tcp.dstport == «${[80]}»", "`in ${[80]}`"],
  ["TG1100", 'ip.src == «${list(["192.0.2.1"])}»', "`in ${list"],
  ["TG1100", "ip.src in «${80}»", "`in {${80}}`"],
  ["TG1100", "tcp.flags & 0x12 «==» 2", "one operator"],
  ["TG1100", "«${80}»", null],
  ["TG1101", "tcp.dstport «=» 80", "`==`"],
  ["TG1100", "tcp.dstport in {80«,» 443}", "spaces"],
  ["TG1101", "ip.src in «$»partners", "`ip.src in ${name}`"],
  ["TG1101", "a «|» b", "`or`"],
  ["TG1101", "ip.proto == «'»tcp'", '"tcp"'],
  ["TG1101", "tcp.dstport > «-»1", "never negative"],
  ["TG1101", "ip.src == «*»", "prefix"],
  ["TG1101", "a in «[»1 [2", "braces"],
  ["TG1101", "a and «\u{1F30A}»", null],
  ["TG1101", 'ip.proto == «"${"tcp"}"»', "leave out the quotes"],
  ["TG1101", "a and «\uE000»", null],
  ["TG1101", "a == «${80}\uE001»", null],
  ["TG1102", 'ip.proto == «"tcp»', null],
  ["TG1103", "a «\\»n", null],
  ["TG1103", 'ip.proto == "a«\\»b"', null],
  ["TG1104", `${"(".repeat(128)}«(»a${")".repeat(129)}`, null],
  ["TG1104", `${"not ".repeat(128)}«not» a`, null],
  ["TG1105", 'ip.proto «contains» "t"', null],
  ["TG1105", "«bit_slice»(udp, 64, 96) == 1", null],
  ["TG1105", "«payload.u8»(0) == 1", null],
  ["TG1106", "«lower»(ip.proto)", null],
  ["TG1110", "ip.src == «10.0.0.256»", null],
  ["TG1110", "ip.src == «10.0.0»", "four parts"],
  ["TG1110", "ip.src == «fe80::1%eth0»", "zone"],
  ["TG1110", "tcp.dstport == «080»", "octal"],
  ["TG1110", "tcp.dstport == «10_000»", "`10000`"],
  ["TG1110", "tcp.dstport == «0x»", null],
  ["TG1110", "tcp.dstport == «80tcp»", null],
  ["TG1111", "ip.src in {«10.1.2.3/8»}", "`10.0.0.0/8`"],
  ["TG1111", "ip.src in {«2001:db8::1/32»}", "`2001:db8::/32`"],
  ["TG1111", 'ip.src in {${«"10.1.2.3/8"»}}', "`10.0.0.0/8`"],
  ["TG1112", "ip.src in {«10.0.0.0/33»}", null],
  ["TG1112", "ip.src in {«2001:db8::/129»}", null],
  ["TG1112", "ip.src in {«10.0.0.0/»}", null],
  ["TG1113", "ip.src == «10.0.0.0/8»", "`ip.src in {10.0.0.0/8}`"],
  ["TG1113", "ip.src != «10.0.0.0/8»", "`not ip.src in {10.0.0.0/8}`"],
  ["TG1113", 'ip.src < «${"10.0.0.0/8"}»', "one address"],
  ["TG1114", "tcp.dstport in {«90..80»}", "`80..90`"],
  ["TG1114", "ip.src in {«10.0.0.2..10.0.0.1»}", "`10.0.0.1..10.0.0.2`"],
  ["TG1115", "ip.src in {«10.0.0.1..fe80::1»}", null],
  ["TG1116", "ip.src in {«80..10.0.0.1»}", null],
  ["TG1116", 'ip.proto in {«"a".."b"»}', null],
  ["TG1116", "ip.src in {«10.0.0.0/8..11.0.0.0/8»}", null],
  ["TG1120", "a == ${«true»}", null],
  ["TG1120", "a in ${[«{}»]}", null],
  ["TG1121", "a == ${«1.5»}", null],
  ["TG1121", "a in ${[«-1»]}", null],
];

/** Mistakes of a whole file. IMPORTS stand before, and a good policy behind when there is no export. */
const IN_FILES: readonly Row[] = [
  ["TG1001", "const a = «;»", null],
  ["TG1002", `const a = ${"-(".repeat(256)}«1»${")".repeat(256)};`, null],
  ["TG1003", doublings(30), null],
  ["TG1010", 'import { web } from «"./lists.js"»; const a = web;', null],
  ["TG1011", 'import { readFileSync } from «"node:fs"»; const a = readFileSync("x");', null],
  ["TG1012", 'import { «polcy» } from "tidegate"; const a = polcy({});', "`policy`"],
  ["TG1013", 'import «* as tidegate» from "tidegate"; const a = tidegate.drop;', "import {"],
  ["TG1013", 'import «tidegate» from "tidegate";', "import {"],
  ["TG1014", 'import { «reject» } from "tidegate"; const a = reject("no", expr`a`);', null],
  ["TG1020", "const partners = 1; const a = «partner»;", "`partners`"],
  ["TG1020", "const a = «process».env.HOME;", null],
  ["TG1021", "const a = «b»; const b = 1;", null],
  ["TG1022", "const a = 1; const «a» = 2;", null],
  ["TG1022", "const «drop» = 2;", null],
  ["TG1030", "«for (;;) {}»", "write the values out"],
  ["TG1030", "«class A {}»", "objects"],
  ["TG1030", "«enum A { B }»", "as const"],
  ["TG1030", "«if (1) {}»", "? one : other"],
  ["TG1030", "const a = «new Map()»;", "objects"],
  ["TG1030", "const a = { b: 1 }; const c = «a?.b»;", "write `.`"],
  ["TG1030", "const a = 1 as «any»;", "`satisfies`"],
  ["TG1030", "const a = «1 == 1»;", "`===`"],
  ["TG1030", "const a = «/x/»;", "list the values"],
  ["TG1030", "const a = «10n»;", "`n`"],
  ["TG1030", "const a = «typeof 1»;", null],
  ["TG1030", "const a = «[1, , 2]»;", "every item"],
  ["TG1030", "«declare const a: number;»", "value itself"],
  ["TG1030", "export default «function f() {}»", "policy("],
  ["TG1030", "const a = 1; «export { a };»", "export default"],
  ["TG1031", "const a = «() => 1»;", "write the values out"],
  ["TG1031", "«function f() {}»", "write the values out"],
  ["TG1031", "const a = [1]; const b = a.«map»(1);", "write the values out"],
  ["TG1031", "const { «...a» } = { b: 1 };", "its own `const`"],
  ["TG1031", "const a = { «b() {}» };", "value itself"],
  ["TG1032", "«let» a = 1; const b = a;", "`const`"],
  ["TG1032", "«var» a = 1;", "`const`"],
  ["TG1040", "const a = «[1] + 1»;", null],
  ["TG1040", 'const a = «1 < "2"»;', null],
  ["TG1040", "const a = «[] === []»;", null],
  ["TG1040", 'const a = «-"1"»;', null],
  ["TG1041", "const web = { port: 80 }; const a = web.«prot»;", "`port`"],
  ["TG1041", "const a = [1][«1»];", null],
  ["TG1041", 'const a = [1][«""»];', null],
  ["TG1041", 'const a = [1, 2][«"0x1"»];', null],
  ["TG1041", "const a = {}.«constructor»;", null],
  ["TG1041", "const { «b» } = { a: 1 };", "`a`"],
  ["TG1041", "const [a, «b»] = [1];", null],
  ["TG1042", "const a = «1»();", null],
  ["TG1042", "const a = 1; const b = «a»`x`;", null],
  ["TG1043", "const a = [«...1»];", null],
  ["TG1043", 'const a = list(["192.0.2.1"]); const b = [«...a»];', "array constant"],
  ["TG1043", "const a = { «...[1]» };", null],
  ["TG1044", "const a = { b: 1, «b»: 2 };", null],
  ["TG1044", "const a = { b: 1 }; const c = { «b»: 2, ...a };", null],
  ["TG1045", "const a = { «__proto__»: 1 };", null],
  ["TG1046", "const «{ a }» = 1;", null],
  ["TG1046", "const «[a]» = { a: 1 };", null],
  ["TG1047", "const a = `x${«[1]»}`;", null],
  ["TG1050", "«»", "export default policy"],
  ["TG1051", "export default policy(POLICY); «export default 1;»", null],
  ["TG1052", "export default «1»;", null],
  [
    "TG1052",
    'export default «edge({ uplinks: ["eth0"], anycast: ["192.0.2.1"], owners: {} })»;',
    "operator's file",
  ],
  ["TG1053", "«1 + 1;»", null],
  ["TG1053", "«policy(POLICY);»", "export default"],
  ["TG1054", 'const a = «expr»("a");', null],
  ["TG1054", "const a = «drop»`a`;", null],
  ["TG2050", 'export default policy(«{ prefixes: [], firewall: { default: "drop", rules: [] } }»);', null],
  ["TG2051", "export default policy({ ...POLICY, «mitigat»: [] });", "`mitigate`"],
  ["TG2051", "export default policy({ ...POLICY, «constructor»: [] });", null],
  ["TG2051", 'const a = gre({ remote: "192.0.2.1", «tll»: 64 });', "`ttl`"],
  [
    "TG2052",
    'export default policy({ ...POLICY, firewall: { default: "drop", rules: [], «stateful»: true } });',
    null,
  ],
  ["TG2052", 'export default policy({ ...POLICY, firewall: { default: «"reject"», rules: [] } });', null],
  ["TG2052", 'export default policy({ ...POLICY, «offload»: "auto" });', null],
  ["TG2053", "export default policy({ ...POLICY, customer: «5» });", null],
  ["TG2053", "const a = 5; export default policy({ ...POLICY, customer: «a» });", null],
  ["TG2053", 'export default policy({ ...POLICY, prefixes: «"10.0.0.0/8"» });', null],
  ["TG2053", "export default policy({ ...POLICY, prefixes: [«1»] });", null],
  ["TG2053", "export default policy({ ...POLICY, mitigate: [«1»] });", "drop("],
  ["TG2053", "export default policy({ ...POLICY, tunnels: { a: «{}» } });", "gre("],
  ["TG2053", 'const a = drop("a", «"ip.src == 192.0.2.1"»);', "expr`…`"],
  ["TG2053", 'const a = limit("a", expr`a`, { rate: «5» });', null],
  ["TG2054", "const a = «drop»(expr`a`);", null],
  ["TG2054", 'const a = «limit»("a", expr`a`);', null],
];

function doublings(count: number): string {
  const steps = Array.from({ length: count }, (_, i) => `const a${i + 1} = [...a${i}, ...a${i}];`);
  // The arrays made so far come to hold five million items in the 20th doubling.
  return ["const a0 = [1, 2, 3];", ...steps].join("\n").replace("...a19, ...a19", "...a19, «...a19»");
}

const GOOD =
  '{ customer: "a", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } } as const';

function fileText(marked: string): string {
  const text = marked.replaceAll("POLICY", "GOOD");
  const needsExport = !text.includes("export default") && !text.includes("«»");
  const start = text.includes("«»") ? "«»" : "";
  const rest = text.replace("«»", "");
  return `${start}${IMPORTS}const GOOD = ${GOOD};\n${rest}\n${needsExport ? "export default policy(GOOD);\n" : ""}`;
}

function check(code: string, marked: string, hint: string | null): void {
  const under = marked.slice(marked.indexOf("«") + 1, marked.indexOf("»"));
  const start = marked.indexOf("«");
  const { seen } = read(marked.replace("«", "").replace("»", ""));
  expect(seen.map(({ code, under, start }) => ({ code, under, start }))).toEqual([{ code, under, start }]);
  if (hint !== null) expect(seen[0]?.hint).toContain(hint);
}

describe("a mistake in an expression is one diagnostic at its place", () => {
  test.each(IN_EXPRESSIONS)("%s %s", (code, marked, hint) => {
    // The closing backtick stands for the end of the expression.
    const atEnd = marked.includes("«`»");
    const text = atEnd ? policyText(marked.replace("«`»", "")).replace("`)]", "«`»)]") : policyText(marked);
    check(code, text, hint);
  });
});

describe("a mistake in a file is one diagnostic at its place", () => {
  test.each(IN_FILES)("%s %s", (code, marked, hint) => check(code, fileText(marked), hint));
});

test("every code of the reader has a mistake here, and an explanation of some lines", () => {
  const tested = new Set([...IN_EXPRESSIONS, ...IN_FILES].map(([code]) => code));
  const codes = Object.keys({ ...SYNTAX, ...SHAPES, ...EXPRESSIONS });
  expect(codes.filter((code) => !tested.has(code))).toEqual([]);
  for (const { explanation } of Object.values({ ...SYNTAX, ...SHAPES })) {
    expect(explanation.length).toBeGreaterThan(60);
  }
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { EXPRESSIONS } from "../../src/compiler/diagnostics/catalogue/expressions.js";
import { IMPORTS as IMPORTS_OF_MODULES } from "../../src/compiler/diagnostics/catalogue/imports.js";
import { SHAPES } from "../../src/compiler/diagnostics/catalogue/shapes.js";
import { SYNTAX } from "../../src/compiler/diagnostics/catalogue/syntax.js";
import { IMPORTS, read } from "../support/read.js";

/** Code, text with the underlined part in « », and a part of the hint (null: none is given). */
type Row = readonly [code: string, marked: string, hint: string | null];

/** Mistakes of a whole file. IMPORTS stand before, and a good policy behind when there is no export. */
const IN_FILES: readonly Row[] = [
  ["TG1001", "const a = «;»", null],
  ["TG1001", "const a = expr`ip.src == 192.0.2.1;\nconst b = expr`«t»cp.flags.syn`;", "backtick"],
  ["TG1002", `const a = ${"!".repeat(500)}«1»;`, null],
  ["TG1003", doublings(30), ".json"],
  ["TG1003", 'const a = «"ab".repeat(1e9)»;', ".json"],
  ["TG1011", 'import { readFileSync } from «"node:fs"»; const a = readFileSync("x");', null],
  ["TG1011", 'import { drop as d } from «"tidgate"»;', "`tidegate`"],
  ["TG1011", 'import lists from «"lists.json"»;', '"./lists.json"'],
  ["TG1011", 'import lists from «"/etc/lists.json"»;', null],
  ["TG1015", 'import { web } from «"./lists.js"»; const a = web;', null],
  ["TG1012", 'import { «polcy» } from "tidegate"; const a = polcy({});', "`policy`"],
  ["TG1013", 'import «* as tidegate» from "tidegate"; const a = tidegate.drop;', "import {"],
  ["TG1013", 'import «tidegate» from "tidegate";', "import {"],
  ["TG1020", "const partners = 1; const a = «partner»;", "`partners`"],
  ["TG1020", "const a = «process».env.HOME;", null],
  ["TG1020", "const а = 1; const b = «a»;", "`а`?"],
  ["TG1020", "const a = «drоp»;", "`drop`? `о` is the character U+043E"],
  ["TG1020", "const a = «require»('fs');", "import { name }"],
  ["TG1020", "const a = «JSON».parse('1');", ".json"],
  ["TG1021", "const a = «b»; const b = 1;", null],
  ["TG1021", "const f = () => «b»; const a = f(); const b = 1;", null],
  ["TG1021", "const b = 1; const f = () => { const a = «b»; const b = 2; return a; }; const c = f();", null],
  ["TG1022", "const a = 1; const «a» = 2;", null],
  ["TG1022", "const «drop» = 2;", null],
  ["TG1022", "function f(x: number) { const «x» = 1; return 2; }", null],
  ["TG1022", "const f = ({ x }: { x: number }) => { const [«x»] = [1]; return 2; };", null],
  ["TG1030", "«module.exports = {}»;", "export default policy({…})"],
  ["TG1030", "«for (;;) {}»", "map("],
  ["TG1030", "«class A {}»", "objects"],
  ["TG1030", "«enum A { B }»", "as const"],
  ["TG1030", "«if (1) {}»", "? one : other"],
  ["TG1030", "«throw 1;»", "leave it out"],
  ["TG1030", "const a = {}; const b = «delete a.b»;", "...others"],
  ["TG1030", "const a = [1]; «a[0] = 2»;", "...object"],
  ["TG1030", "const a = «new Map()»;", "use an object"],
  ["TG1030", "const a = «new Date()»;", "no clock"],
  ["TG1030", "const a = «new URL('/a')»;", "objects"],
  ["TG1030", "const a = «function () { return 1; }»;", "arrow function"],
  ["TG1030", "const a = «async () => 1»;", "plain function"],
  ["TG1030", "«function* f() { return 1; }»", "plain function"],
  ["TG1030", "const f = (a: number) => { «if (a) { return 1; }» }; const b = f(1);", "? one : other"],
  ["TG1030", "const a = «1 instanceof Object»;", "Array.isArray"],
  ["TG1030", 'const a = «"b" in {}»;', "!== undefined"],
  ["TG1030", "const a = [1].«map»;", ".map(…)"],
  ["TG1030", "const a = { «get b() { return 1; }» };", "value itself"],
  ["TG1030", "const a = { «b() {}» };", "arrow function"],
  ["TG1030", "const a = «import('fs')»;", "top of the file"],
  ["TG1030", 'import { drop as d } from "tidegate" with { «type: "json"» };', "leave it out"],
  ["TG1030", "const a = «1 == 1»;", "`===`"],
  ["TG1030", "const a = «/x/»;", "list the values"],
  ["TG1030", "const a = «10n»;", "`n`"],
  ["TG1030", "const a = «void 1»;", null],
  ["TG1030", "const a = «[1, , 2]»;", "every item"],
  ["TG1030", "const a = { «b = 1» };", "`name: value`"],
  ["TG1030", "«declare const a: number;»", "value itself"],
  ["TG1030", "export default «function f() {}»", "policy("],
  ["TG1030", "«export = 1;»", "export default"],
  ["TG1032", "«let» a = 1; const b = a;", "`const`"],
  ["TG1032", "«var» a = 1;", "`const`"],
  ["TG1034", "const a = [1]; const b = a.«push»(2);", "[...items, item]"],
  ["TG1034", "const a = [2, 1].«sort»();", ".toSorted(…)"],
  ["TG1034", "const a = [2, 1].«reverse»();", ".toReversed()"],
  ["TG1034", 'const a = "b".«match»("b");', "regular expressions"],
  ["TG1034", "const a = Object.«assign»({}, {});", "{ ...a, ...b }"],
  ["TG1034", "const a = Math.«random»();", "each time"],
  ["TG1035", "const a = [1].map(«1»);", null],
  ["TG1035", "const a = «[1].map()»;", null],
  ["TG1035", "const a = [2, 1].toSorted(«(a, b) => a < b»);", null],
  ["TG1035", "const a = «[10, 9].toSorted()»;", null],
  ["TG1035", "const a = «[].reduce((a, b) => b)»;", null],
  ["TG1035", 'const a = "b".repeat(«-1»);', null],
  ["TG1035", "const a = Array.from(«{ length: 1, 0: 5 }»);", null],
  ["TG1035", 'const a = "b".replace("b", «"$&"»);', null],
  ["TG1035", 'const a = Number(«"ten"»);', null],
  ["TG1035", "const a = Math.max(1, «true»);", null],
  ["TG1035", "const a = Object.keys(«1»);", null],
  ["TG1035", "const a = Object.fromEntries(«[1]»);", null],
  ["TG1035", "const a = (10).toString(«1»);", null],
  ["TG1040", "const a = «[1] + 1»;", null],
  ["TG1040", 'const a = «1 < "2"»;', null],
  ["TG1040", "const a = «[] === []»;", null],
  ["TG1040", 'const a = «-"1"»;', null],
  ["TG1041", "const web = { port: 80 }; const a = web.«prot»;", "`port`"],
  ["TG1041", "const ports = [80, 443]; const a = ports.«lenght»;", "`length`"],
  ["TG1041", "const a = [1][«1»];", null],
  ["TG1041", 'const a = [1][«""»];', null],
  ["TG1041", 'const a = [1, 2][«"0x1"»];', null],
  ["TG1041", "const a = {}.«constructor»;", null],
  ["TG1041", "const a = ({} as any).«constructor» ?? 1;", "every object"],
  ["TG1041", "const a = ({} as any).«toString» === undefined;", "every object"],
  ["TG1041", "const a = ({} as any).«valueOf»?.();", "every object"],
  ["TG1041", "const { «hasOwnProperty»: a = 1 } = {} as any;", "every object"],
  ["TG1041", 'const a = "abc"[«3»];', null],
  ["TG1041", "const { «b» } = { a: 1 };", "`a`"],
  ["TG1041", "const [a, «b»] = [1];", null],
  ["TG1041", "const a = [1].«fliter»((one) => one);", "`filter`"],
  ["TG1041", "const a = Math.«flor»(1);", "`floor`"],
  ["TG1041", "const a = [1].find((one) => one > 1).«b»;", "`?.`"],
  ["TG1041", "const f = ({ «b» }: { b: number }) => b; const a = f({});", "`b = …`"],
  ["TG1042", "const a = «1»();", null],
  ["TG1042", "const a = { b: 1 }; const c = «a.b»();", null],
  ["TG1042", "const a = «Math»();", null],
  ["TG1042", "const a = 1; const b = «a»`x`;", null],
  ["TG1043", "const a = [«...1»];", null],
  ["TG1043", 'const a = list(["192.0.2.1"]); const b = [«...a»];', "array constant"],
  ["TG1043", 'const a = [«..."abc"»];', "split"],
  ["TG1043", "const a = { «...[1]» };", null],
  ["TG1043", "const a = [«...(1 > 2 && [1])»];", "? [ … ] : []"],
  ["TG1043", "const a = { «...(1 > 2 && { b: 1 })» };", "? { … } : {}"],
  ["TG1044", "const a = { b: 1, «b»: 2 };", null],
  ["TG1045", "const a = { «__proto__»: 1 };", null],
  ["TG1045", 'const a = { [«"__proto__"»]: 1 };', null],
  ["TG1045", "const { «__proto__»: a } = { b: 1 };", null],
  ["TG1045", 'const a = Object.fromEntries([[«"__proto__"», 1]]);', null],
  ["TG1046", "const «{ a }» = 1;", null],
  ["TG1046", "const «[a]» = { a: 1 };", null],
  ["TG1047", "const a = `x${«[1]»}`;", null],
  ["TG1050", "«»", "export default policy"],
  ["TG1051", "export default policy(POLICY); «export default 1;»", null],
  ["TG1052", "export default «1»;", null],
  ["TG1052", 'export default «{ customer: "acme" }»;', "export default policy({…})"],
  [
    "TG1052",
    'export default «edge({ uplinks: ["eth0"], anycast: ["192.0.2.1"], owners: {} })»;',
    "operator's file",
  ],
  ["TG1053", "«1 + 1;»", null],
  ["TG1053", "«policy(POLICY);»", "export default"],
  ["TG1054", 'const a = «expr»("a");', null],
  ["TG1053", "const f = () => { return 1; «const a = 2;» }; const b = f();", "nothing behind"],
  ["TG1054", "const a = «drop»`a`;", null],
  ["TG1054", "const f = (a: unknown) => a; const a = «f»`a`;", null],
  ["TG1055", "const f = (a: number) => a; const b = «f()»;", null],
  ["TG1055", "const f = (a: number) => a; const b = «f(1, 2)»;", null],
  ["TG1055", "const f = (a: number, b = 1) => a + b; const c = «f(1, 2, 3)»;", null],
  ["TG1055", 'const a = «["b"].includes("b", 1)»;', null],
  ["TG1055", 'const a = «"b".trim(1)»;', null],
  ["TG1055", "const a = «Math.floor(1, 2)»;", null],
  ["TG1056", "const f = () => «{ const a = 1; }»; const b = f();", "`return value;`"],
  ["TG1056", "const f = () => «{ return; }»; const b = f();", "`return value;`"],
  ["TG1057", "const a = 1; export { a as b }; export { a as «b» };", "another name"],
  ["TG1060", "const f = (n: number): number => «f(n + 1)»; const a = f(0);", "Array.from"],
  ["TG2050", 'export default policy(«{ prefixes: [], firewall: { default: "drop", rules: [] } }»);', null],
  ["TG2051", "export default policy({ ...POLICY, «mitigat»: [] });", "`mitigate`"],
  ["TG2051", "export default policy({ ...POLICY, «constructor»: [] });", null],
  ["TG2051", 'const a = gre({ remote: "192.0.2.1", «tll»: 64 });', "`ttl`"],
  ["TG2052", 'const a = gre({ remote: "192.0.2.1", «checksum»: true });', null],
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
  // The arrays made so far come to hold one and a half million items in the 18th doubling.
  return ["const a0 = [1, 2, 3];", ...steps].join("\n").replace("...a17, ...a17", "...a17, «...a17»");
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

describe("a mistake in a file is one diagnostic at its place", () => {
  test.each(IN_FILES)("%s %s", (code, marked, hint) => check(code, fileText(marked), hint));
});

test("every code of the reader has a mistake here, and an explanation of some lines", () => {
  const tested = new Set(IN_FILES.map(([code]) => code));
  // Modules, JSON, expressions, files too large to be written here and the type checker have tests of their own.
  const elsewhere = { ...EXPRESSIONS, ...IMPORTS_OF_MODULES };
  const codes = Object.keys({ ...SYNTAX, ...SHAPES }).filter((code) => !Object.hasOwn(elsewhere, code));
  expect(codes.filter((code) => !tested.has(code))).toEqual([
    "TG1004",
    "TG1005",
    "TG1006",
    "TG2070",
    "TG2071",
  ]);
  for (const { explanation } of Object.values({ ...SYNTAX, ...SHAPES })) {
    expect(explanation.length).toBeGreaterThan(60);
  }
});

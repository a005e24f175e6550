// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { policyOf, readProject } from "../support/modules.js";

/** What an expression with a text, a number or an array of them reads as, joined by spaces. */
function resultOf(expression: string, declarations: string): string | undefined {
  const { policy, reported } = readProject(
    `${declarations}\nconst result = ${expression};\n${policyOf("Array.isArray(result) ? result.join(' ') : String(result)")}`,
  );
  expect(reported).toEqual([]);
  return policy?.customer?.value;
}

type Row = readonly [declarations: string, expression: string, value: string];

const FUNCTIONS: readonly Row[] = [
  ["const f = (a: number, b: number) => a + b;", "f(1, 2)", "3"],
  ["const f = <T,>(a: T): T => a;", "f<number>(1)", "1"],
  ["const f = (a: number, b = a + 1) => a + b;", "f(1)", "3"],
  ["const f = (a: number, b?: number) => b ?? a;", "f(1)", "1"],
  ["const f = (a = 1) => a;", "f(undefined)", "1"],
  ["const f = (...all: number[]) => all.length;", "f(...[1, 2], 3)", "3"],
  ["const f = (a: number, ...rest: number[]) => rest.join('-');", "f(1, 2, 3)", "2-3"],
  ["const f = ({ a, b: [c], ...d }: any) => [a, c, d.e];", "f({ a: 1, b: [2], e: 3 })", "1 2 3"],
  ["const f = ({ a = 1, b = a } = {} as any) => a + b;", "f()", "2"],
  ["const f = ([a, b = 5, ...c]: number[]) => a + b + c.length;", "f([1])", "6"],
  ["const f = (a: number) => { const b = a * 2; const c = b + 1; return c; };", "f(2)", "5"],
  ["const f = (a: number) => { function g() { return b; } const b = a; return g(); };", "f(2)", "2"],
  ["function f(a: number) { return a + 1; }", "f(1)", "2"],
  ["const x = f(1); function f(a: number) { return a + 1; }", "x", "2"],
  ["function f(a: string): string; function f(a: any) { return a; }", "f('a')", "a"],
  ["const f = () => late; const late = 4;", "f()", "4"],
  ["const add = (a: number) => (b: number) => a + b;", "add(1)(2)", "3"],
  ["const a = 1; const f = () => { const a = 2; return a; };", "[f(), a]", "2 1"],
  ["const a = 1; const f = (a: number) => a;", "f(3)", "3"],
  ["const f = { g: (a: number) => a + 1, h: { i: () => 2 } };", "[f.g(1), f.h.i()]", "2 2"],
  ["const f = (n: number): number => (n <= 1 ? 1 : n * f(n - 1));", "f(10)", "3628800"],
  [
    "const even = (n: number): boolean => n === 0 || odd(n - 1); const odd = (n: number): boolean => n !== 0 && even(n - 1);",
    "even(10)",
    "true",
  ],
  ["const twice = (f: (n: number) => number, n: number) => f(f(n));", "twice((n) => n * 3, 2)", "18"],
];

const METHODS: readonly Row[] = [
  ["const a = [3, 1, 2];", "a.map((n) => n * 2)", "6 2 4"],
  ["const a = [3, 1, 2];", "a.map((n, i) => n * i)", "0 1 4"],
  ["const a = [3, 1, 3];", "a.filter((n, i, all) => all.indexOf(n) === i)", "3 1"],
  ["const a = [5, 6];", "a.map((...given) => given.length)", "3 3"],
  ["const a = [5, 6];", "a.reduce((s, n, i, all) => s + all.length, 0)", "4"],
  ["const a = [1];", "a.reduce((s: any, n) => s ?? n, undefined)", "1"],
  ["const a = [0, -0];", "[a.includes(-0), [-0].includes(0)]", "true true"],
  ["const a = [2, undefined, 1] as any;", "a.toSorted((x, y) => x - y).slice(0, 2)", "1 2"],
  ["const a = [3, 1, 2];", "a.filter((n) => n > 1)", "3 2"],
  ["const a = [[1, 2], [3]];", "a.flatMap((n) => n)", "1 2 3"],
  ["const a = [1, 2];", "a.flatMap((n) => (n > 1 ? n : []))", "2"],
  ["const a = [1, 2];", "a.concat([3], 4 as any)", "1 2 3 4"],
  ["const a = [1, NaN, 'b'];", "[a.includes(NaN), a.includes('b'), a.includes('c')]", "true true false"],
  ["const a = [1, NaN, 2];", "[a.indexOf(2), a.indexOf(NaN), a.indexOf(7)]", "2 -1 -1"],
  ["const a = [1, 2, 3, 4];", "a.slice(1, -1)", "2 3"],
  ["const a = ['a', 1, true];", "a.join()", "a,1,true"],
  ["const a = [1, [2, [3, [4]]]] as any;", "[a.flat().length, a.flat(Infinity).length]", "3 4"],
  [
    "const a = [1, 2];",
    "[a.some((n) => n > 1), a.every((n) => n > 1), [].every(() => false)]",
    "true false true",
  ],
  [
    "const a = [1, 2, 3];",
    "[a.find((n) => n > 1), a.findLast((n) => n > 1), a.findIndex((n) => n > 5)]",
    "2 3 -1",
  ],
  ["const a = [1];", "a.find((n) => n > 1) ?? 'none'", "none"],
  ["const a = [1, 2, 3];", "[a.at(-1), a.at(9) ?? 'none']", "3 none"],
  ["const a = [1, 2, 3];", "[a.reduce((s, n) => s + n), a.reduce((s, n, i) => s + n * i, 10)]", "6 18"],
  ["const a = ['b', 'a', 'ab'];", "a.toSorted()", "a ab b"],
  ["const a = [10, 9, 1];", "a.toSorted((x, y) => x - y)", "1 9 10"],
  ["const a = [1, 2, 3];", "a.toReversed()", "3 2 1"],
  ["const a = ['x', 'y'];", "[...a.entries()].map(([i, v]) => `${i}${v}`)", "0x 1y"],
  ["const a = ['1', '2'];", "a.map(Number).map((n) => n + 1)", "2 3"],
  ["const a = [0, 1, '', 'a'];", "a.filter(Boolean)", "1 a"],
  ["const o = { a: 1, b: 2 };", "Object.entries(o).map(([k, v]) => k + v)", "a1 b2"],
  ["const o = { b: 1, 2: 0, a: 2, 1: 0 };", "Object.keys(o)", "1 2 b a"],
  ["const o = { 4294967295: 1, 4294967294: 2, 9: 3 };", "Object.keys(o)", "9 4294967294 4294967295"],
  ["const o = { a: 1, b: 2 };", "Object.values(o)", "1 2"],
  ["const o = Object.fromEntries([['a', 1], ['b', 2]]);", "o.a + o.b", "3"],
  ["const o = Object.freeze({ a: 1 });", "o.a", "1"],
  ["", "Array.from({ length: 3 }, (_, i) => i * i)", "0 1 4"],
  ["", "Array.from('abc')", "a b c"],
  ["", "[Array.isArray([]), Array.isArray({}), Array.of(1, 2).length]", "true false 2"],
  [
    "",
    "[Math.min(2, 1), Math.max(...[1, 2]), Math.floor(1.7), Math.ceil(1.2), Math.round(1.5)]",
    "1 2 1 2 2",
  ],
  ["", "[Math.trunc(-1.5), Math.abs(-2), Math.sign(-3), Math.log2(8), Math.pow(2, 3)]", "-1 2 -1 3 8"],
  [
    "",
    "[Number('12'), Number(true), parseInt('ff', 16), parseInt('12px'), parseFloat('1.5')]",
    "12 1 255 12 1.5",
  ],
  [
    "",
    "[Number.isInteger(1.5), Number.isInteger('1'), Number.isNaN(NaN), Number.isFinite(Infinity)]",
    "false false true false",
  ],
  [
    "",
    "[String(1), String(true), (255).toString(16), (1.005).toFixed(1), true.toString()]",
    "1 true ff 1.0 true",
  ],
  ["const s = 'a.b.c';", "s.split('.')", "a b c"],
  ["const s = 'a.b.c';", "s.split('.', 2)", "a b"],
  [
    "const s = 'abcb';",
    "[s.indexOf('b', 2), s.lastIndexOf('b', 2), s.includes('a', 1), s.startsWith('b', 1), s.endsWith('b', 2)]",
    "3 1 false true true",
  ],
  ["const s = 'abc';", "[s[0], s[2], s['1']]", "a c b"],
  [
    "const s = 'a.b.c';",
    "[s.replace('.', '-'), s.replaceAll('.', '-'), 'ab'.replaceAll('', '-')]",
    "a-b.c a-b-c -a-b-",
  ],
  ["const s = ' a ';", "[s.trim(), s.trimStart().length, s.trimEnd().length]", "a 2 2"],
  [
    "const s = 'abc';",
    "[s.startsWith('a'), s.endsWith('a'), s.includes('b'), s.indexOf('c'), s.lastIndexOf('x')]",
    "true false true 2 -1",
  ],
  [
    "const s = 'aBc';",
    "[s.toUpperCase(), s.toLowerCase(), s.slice(1), s.slice(-1), s.substring(1, 2), s.charAt(0)]",
    "ABC abc Bc c B a",
  ],
  [
    "const s = '7';",
    "[s.padStart(3, '0'), s.padEnd(2, '-'), s.repeat(3), s.concat('8', '9'), s.at(0)]",
    "007 7- 777 789 7",
  ],
];

const LANGUAGE: readonly Row[] = [
  ["const o = { a: { b: 1 } } as any;", "[o?.a?.b, o?.x?.b.c.d ?? 'none', o.a?.['b']]", "1 none 1"],
  ["const o = { f: () => 1 } as any;", "[o.f?.(), o?.g?.().h ?? 'none']", "1 none"],
  ["const n = null as any;", "[n?.a ?? 1, n?.a.b.c() ?? 2, n?.() ?? 3]", "1 2 3"],
  ["const o = { a: 1 } as any;", "[o.b ?? 2, o.a ?? 2, o['b'] ?? 3]", "2 1 3"],
  [
    "const o = { a: 1 } as any;",
    "[o.b === undefined, o.a !== undefined, typeof o.b, undefined === o.b]",
    "true true undefined true",
  ],
  ["const a = [1];", "a[5] ?? 'none'", "none"],
  [
    "const a = 1 as any as number; const b = <number>a; const c = a!; const d = b satisfies number;",
    "a + b + c + d",
    "4",
  ],
  ["const o = { a: [1] as const } as const;", "o.a[0]", "1"],
  ["const f = (o = {}) => ({ a: 1, ...o }) as any;", "[f().a, f({ a: 2 }).a]", "1 2"],
  ["const o: any = { a: 1 };", "o!.a!", "1"],
  ["const f = (a: number) => a;", "f!(1)", "1"],
  ["const { a, ...rest } = { a: 1, b: 2, c: 3 };", "Object.keys(rest)", "b c"],
  ["const { a = 5, b: { c = 6 } = {} as any } = {} as any;", "a + c", "11"],
  ["const [a, , b = 3, ...c] = [1, 2];", "[a, b, c.length]", "1 3 0"],
  ["const k = 'x'; const { [k]: v } = { x: 1 };", "v", "1"],
  ["const a = 1; const o = { a, ['b' + a]: 2 };", "o.a + o.b1", "3"],
  ["const a = 1 > 2;", "Object.keys({ ...(a ? { b: 1 } : {}), c: 1 })", "c"],
  [
    "",
    "[typeof 1, typeof '', typeof true, typeof undefined, typeof null, typeof [], typeof (() => 1)]",
    "number string boolean undefined object object function",
  ],
  ["const a = [1] as any;", "[a === undefined, a === null, a !== 1]", "false false true"],
  ["type A = string; interface B { a: A } export type C = B; export type { C as D };", "1", "1"],
];

describe.each([
  ["functions", FUNCTIONS],
  ["methods", METHODS],
  ["the rest of the subset", LANGUAGE],
])("%s mean what they mean in JavaScript", (_, rows) => {
  test.each(rows)("%s %s", (declarations, expression, value) => {
    expect(resultOf(expression, declarations)).toBe(value);
  });
});

describe("helpers", () => {
  test("may return rules, arrays of rules, expressions and lists", () => {
    const { policy, reported } = readProject(`
const web = (host: string, ports: number[]) => ports.map((port) =>
  allow(\`web-\${port}\`, expr\`\${to(host)} and tcp.dstport == \${port}\`));
const to = (host: string) => expr\`ip.dst == \${host}\`;
const blocked = (nets: string[]) => list(nets);
const bad = blocked(["192.0.2.0/24"]);
export default policy({ customer: "a", prefixes: [], mitigate: [drop("bad", expr\`ip.src in \${bad}\`)],
  firewall: { default: "drop", rules: [...web("203.0.113.1", [80, 443]), ...web("203.0.113.2", [25])] } });`);
    expect(reported).toEqual([]);
    expect(policy?.firewall.rules.map(({ name }) => name.value)).toEqual(["web-80", "web-443", "web-25"]);
    const [rule] = policy?.mitigate ?? [];
    expect(rule?.match).toMatchObject({ kind: "inList", list: { name: "bad" } });
  });

  test("a list that a function gives out keeps its name, and stays one list", () => {
    const { policy } = readProject(`
const bad = list(["192.0.2.0/24"]); const get = () => bad; const again = get();
export default policy({ customer: "a", prefixes: [], firewall: { default: "drop", rules: [
  drop("a", expr\`ip.src in \${bad}\`), drop("b", expr\`ip.src in \${again}\`)] } });`);
    const lists = policy?.firewall.rules.map(({ match }) => (match.kind === "inList" ? match.list : null));
    expect(lists?.[0]).toBe(lists?.[1]);
    expect(lists?.[0]?.name).toBe("bad");
  });
});

describe("a mistake points at what was written, and says what led there", () => {
  test("a value that went through a call, a spread, a pattern and a method", () => {
    const { policy } = readProject(`
const nets = (first: string) => [first, ...["192.0.2.0/24"]];
const [one, two] = nets("198.51.100.0/24").map((net) => net);
export default policy({ customer: "a", prefixes: [one, two], firewall: { default: "drop", rules: [] } });`);
    const text = policy?.prefixes.map(({ span }) => [span.line, span.end - span.start]);
    expect(text).toEqual([
      [4, '"198.51.100.0/24"'.length],
      [3, '"192.0.2.0/24"'.length],
    ]);
  });

  test("inside a function: the call", () => {
    const { reported } = readProject(`
const rule = (port: unknown) => allow("web", expr\`tcp.dstport == \${port}\`);
export default policy({ customer: "a", prefixes: [], firewall: { default: "drop", rules: [rule(true)] } });`);
    expect(reported.map(({ code, at }) => [code, at])).toEqual([["TG1120", "main.policy.ts port"]]);
    expect(reported[0]?.related).toEqual([
      "main.policy.ts true: the value is written here",
      "main.policy.ts rule(true): called here",
    ]);
  });

  test("inside a callback: the item", () => {
    const { reported } = readProject(`
const names = ["a", "b"].map((name) => name === "b" ? missing : name);
${policyOf('"a"')}`);
    expect(reported).toMatchObject([
      { code: "TG1020", at: "main.policy.ts missing", related: ['main.policy.ts "b": for this item'] },
    ]);
  });

  test("the same mistake of many items is reported once", () => {
    const { reported } = readProject(`const a = [1, 2, 3].map((n) => missing);\n${policyOf('"a"')}`);
    expect(reported.map(({ code }) => code)).toEqual(["TG1020"]);
  });

  test("what was spread and could not be read makes no second mistake", () => {
    const { reported } = readProject("export default policy({ ...missing, tests: [] });");
    expect(reported.map(({ code }) => code)).toEqual(["TG1020"]);
  });
});

describe("a function that nobody calls is read for its mistakes", () => {
  test.each([
    ["const f = (a: number) => process.exit(a);", "TG1020", "process"],
    ["const f = () => { const a = 1; };", "TG1056", "{ const a = 1; }"],
    ["function f(a: any) { return a.map((b: any) => missing); }", "TG1020", "missing"],
    ["const a = [].map((b) => new Date(b));", "TG1030", "new Date(b)"],
    ["const f = (a: any): any => f(a) + 1;", "TG1060", "f(a)"],
  ])("%s", (declarations, code, under) => {
    const { reported } = readProject(`${declarations}\n${policyOf('"a"')}`);
    expect(reported.map(({ code, at }) => [code, at])).toEqual([[code, `main.policy.ts ${under}`]]);
  });

  test.each([
    [
      "const f = ({ a, b: [c] }: any, d = a.x, ...e: any[]) => [a.b.c, c(d), ...e, `${a}`, a + 1, a ?? 2, !a];",
    ],
    ["const f = (a: any) => a.map((b: any) => allow(b, expr`tcp.dstport == ${b.port} and ip.src in ${a}`));"],
    ["const f = (n: number): number => (n <= 1 ? 1 : f(n - 1));"],
    ["const f = (a: any) => ({ ...a, [a]: 1, b: list(a), c: Object.keys(a), d: Math.max(...a) });"],
  ])("of its arguments nothing is known: %s", (declarations) => {
    expect(readProject(`${declarations}\n${policyOf('"a"')}`).reported).toEqual([]);
  });
});

describe("every method works, or says why not", () => {
  const receivers = {
    array: "[]",
    string: "''",
    number: "(1)",
    Object: "Object",
    Array: "Array",
    Math: "Math",
    Number: "Number",
  };
  const names = [
    ...Object.getOwnPropertyNames(Array.prototype).map((name) => ["array", name] as const),
    ...Object.getOwnPropertyNames(String.prototype).map((name) => ["string", name] as const),
    ...Object.getOwnPropertyNames(Number.prototype).map((name) => ["number", name] as const),
    ...Object.getOwnPropertyNames(Object).map((name) => ["Object", name] as const),
    ...Object.getOwnPropertyNames(Array).map((name) => ["Array", name] as const),
    ...Object.getOwnPropertyNames(Math).map((name) => ["Math", name] as const),
    ...Object.getOwnPropertyNames(Number).map((name) => ["Number", name] as const),
  ];

  test.each(names)("%s %s", (kind, name) => {
    const { reported } = readProject(`const a = ${receivers[kind]}.${name}();\n${policyOf('"a"')}`);
    const own = new Set(["TG1034", "TG1035", "TG1041", "TG1042"]);
    expect(reported.every(({ code }) => own.has(code))).toBe(true);
    expect(reported.length).toBeLessThanOrEqual(1);
  });
});

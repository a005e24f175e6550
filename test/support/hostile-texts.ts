// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text

/** Policies that somebody could write to harm the reader, which are too large to be kept as files. */

export interface Hostile {
  readonly text: string;
  /** The errors, each code once, in the order of the text. */
  readonly codes: readonly string[];
}

const IMPORTS = 'import { allow, expr, gre, list, policy } from "tidegate";\n';

/** A policy behind declarations; `rules` is the text of its firewall's rules. */
function policyOf(declarations: string, rules = "[]", more = ""): string {
  return `${IMPORTS}${declarations}
export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: ${rules} }, ${more} });
`;
}

const rule = (expression: string) => `[allow("a", expr\`${expression}\`)]`;
const times = (count: number, one: (index: number) => string, separator = "") =>
  Array.from({ length: count }, (_, index) => one(index)).join(separator);
const nested = (open: string, inside: string, close: string, levels: number) =>
  open.repeat(levels) + inside + close.repeat(levels);
const numbers = "const a = Array.from({ length: 100_000 }, (_, i) => i);\n";
const long = 'const s = "a".repeat(1_000_000);\n';

const texts = (code: string, all: Readonly<Record<string, string>>) =>
  Object.entries(all).map(([name, text]): [string, Hostile] => [name, { text, codes: [code] }]);

export const HOSTILE_TEXTS: Readonly<Record<string, Hostile>> = Object.fromEntries([
  ...texts("TG1002", {
    "deep brackets": policyOf(`const a = ${nested("[", "", "]", 50_000)};`),
    "deep objects": policyOf(`const a = ${nested("{a:", "1", "}", 20_000)};`),
    "deep templates": policyOf(`const a = ${nested("`${", "1", "}`", 5000)};`),
    "expressions in expressions": policyOf(`const a = ${nested("expr`${", "1", "}`", 2000)};`),
  }),
  ...texts("TG1003", {
    "maps of maps": policyOf(`${numbers}const b = a.map(() => a.map((x) => [x, x]));`),
    "an explosion by flatMap": policyOf(`${numbers}const b = a.flatMap(() => a);`),
    "repeated text": policyOf('const a = "ab".repeat(1e9);'),
    "doubled text": policyOf(
      `const d = (s: string) => s + s; const a = [${"1,".repeat(60)}].reduce((s: string) => d(s), "x");`,
    ),
    "helpers that double": policyOf(`const f = (x: any): any => [x, x];
const a = ${nested("f(", "1", ")", 25)}; const b = a.flat(Infinity);`),
    "calls that double": policyOf(
      `const f0 = (x: any) => x;\n${times(40, (i) => `const f${i + 1} = (x: any): any => f${i}(x) + f${i}(x);`, "\n")}\nconst r = f40(1);`,
    ),
    "arrays that grow by copies": policyOf(`${numbers}const b = a.reduce((all: any, x) => [...all, x], []);`),
    "arrays that grow by concat": policyOf(
      `${numbers}const b = a.reduce((all: any, x) => all.concat([x]), []);`,
    ),
    "objects that grow by copies": policyOf(
      `${numbers}const b = a.reduce((all: any, x) => ({ ...all, [\`k\${x}\`]: x }), {});`,
    ),
    "searches in an array": policyOf(`${numbers}const b = a.filter((x) => a.includes(-x - 1));`),
    "joins of an array": policyOf(`${numbers}const b = a.map(() => a.join("")).join("");`),
    "copies of a long text": policyOf(`${numbers}${long}const b = a.map((i) => s.slice(i).length);`),
    "capitals of a long text": policyOf(`${numbers}${long}const b = a.map(() => s.toUpperCase() === s);`),
    "keys of a large object": policyOf(
      `${numbers}const o = Object.fromEntries(a.slice(0, 10_000).map((i) => [\`k\${i}\`, i]));
const b = a.map(() => Object.keys(o).length);`,
    ),
    "a set in every expression": policyOf(
      "const n = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`); const e = expr`ip.src in ${n}`;",
      "Array.from({ length: 400 }, (_, i) => allow(`a${i}`, expr`${e} and not ${e} or ${e}`))",
    ),
  }),
  ...texts("TG1005", {
    "a million elements": policyOf(`const a = [${"1,".repeat(1_000_000)}];`),
    "a million statements": policyOf(";".repeat(1_000_000)),
    "a million comments": policyOf("//\n".repeat(1_000_000)),
  }),
  ...texts("TG1104", {
    "deep parentheses in an expression": policyOf("", rule(nested("(", "ip.frag", ")", 20_000))),
    "not not not …": policyOf("", rule(`${"not ".repeat(50_000)}ip.frag`)),
  }),
  ...texts("TG1020", {
    "a name of a million letters": policyOf(
      `const ${"a".repeat(1_000_000)} = 1; const b = ${"a".repeat(999_999)};`,
    ),
    "names that nobody declared": policyOf(times(20_000, (i) => `const a${i} = b${i};\n`)),
  }),
  ...texts("TG1006", {
    "a comment that looks like a rule": policyOf('// \u202e;)"lla" ,"lla"(wolla'),
    "a text with a hidden end": policyOf('const partners = ["192.0.2.1", "\u2066192.0.2.2\u2069"];'),
    "a name with a joiner": policyOf("const a = 1; const a\u200d = 2;"),
    "an expression with a hidden comment": policyOf("", rule("ip.src == 192.0.2.1 # \u202ella ro\n")),
    "a byte order mark in the middle": policyOf("const a = 1;\ufeff"),
  }),
  ...texts("TG2020", {
    "a customer of a million letters": policyOf("").replace('"acme"', `"${"a".repeat(1_000_000)}"`),
    "a customer with a zero byte": policyOf("").replace('"acme"', '"ac\0me"'),
    "a rule that would paint the terminal": policyOf("", '[allow("\x1b[31mred\x07\x9b", expr`ip.frag`)]'),
    "the same by escapes": policyOf("", '[allow("\\x1b]0;owned\\x07", expr`ip.frag`)]'),
    "half of a surrogate pair": policyOf("").replace('"acme"', '"\\ud800"'),
  }),
  ...texts("TG2006", {
    "a number of a million digits": policyOf("", rule(`tcp.dstport == ${"9".repeat(1_000_000)}`)),
    "a range of a thousand million": policyOf("", rule("tcp.dstport in {1..1000000000}")),
  }),
  ...texts("TG4050", {
    "a normal form that explodes": policyOf(
      "",
      rule(
        times(
          60,
          (i) => `(ip.src == 10.0.0.${i} or ip.dst == 203.0.113.${i} or udp.dstport == ${i})`,
          " and ",
        ),
      ),
    ),
    "a parity of many": policyOf("", rule(times(400, (i) => `tcp.dstport == ${i}`, " xor "))),
  }),
  ...texts("TG1030", {
    "a whole number of a million digits": policyOf(`const a = ${"9".repeat(1_000_000)}n;`),
    "everything that runs": policyOf(`x: for (;;) { break x; }
async function f() { await 1; }
function* g() { yield 1; }
@dec class A {}
const t = this;
const im = /(a+)+$/;
with (t) {}`),
  }),
  ...texts("TG2001", { "a field of a million letters": policyOf("", rule(`${"a".repeat(1_000_000)} == 1`)) }),
  ...texts("TG2021", {
    "one name for all rules": policyOf("", "Array.from({ length: 10_000 }, () => allow(`a`, expr`ip.frag`))"),
  }),
  ...texts("TG2060", {
    "routes without number": policyOf(
      "",
      "[]",
      'tunnels: { t: gre({ remote: "198.51.100.1" }) }, routes: Array.from({ length: 20_000 }, (_, i) => ({ prefix: `203.0.113.${i % 256}/32`, tunnel: "t" }))',
    ),
  }),
  ...texts("TG1011", {
    "imports of everything": policyOf(`import a from "/etc/passwd"; import b from "file:///etc/passwd.json";
import c from "~/x.json"; import d from "node:fs"; import e from ""; import f from "fs\\0.json";`),
  }),
  ...texts("TG1015", {
    "paths in disguise":
      policyOf(`import a from "./%2e%2e/%2e%2e/etc/passwd.json"; import b from "./POLICY.TS";
import c from "./x.json\\0.ts"; import d from "./x.json?y"; import e from "./x.json#y"; import f from "./\x1b]0;owned\x07.json";`),
    "imports without number": policyOf(times(3000, (i) => `import x${i} from "./n${i}.json";\n`)),
  }),
]);

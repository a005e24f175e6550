// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectModules } from "../../src/cli/io/project.js";
import { analyzeAny } from "../../src/compiler/compile.js";
import { policyOf, readProject } from "../support/modules.js";

describe("imports of values", () => {
  test.each([
    ["named", 'import { a } from "./x.js";', "a", 'export const a = "v";'],
    ["renamed", 'import { a as b } from "./x.js";', "b", 'export const a = "v";'],
    ["by text", 'import { "a b" as b } from "./x.js";', "b", 'const a = "v"; export { a as "a b" };'],
    ["default", 'import a from "./x.js";', "a", 'export default "v";'],
    [
      "default and named",
      'import a, { b } from "./x.js";',
      "a + b",
      'export default "v"; export const b = "";',
    ],
    ["namespace", 'import * as x from "./x.js";', "x.a", 'export const a = "v";'],
    [
      "namespace, in the order of the names",
      'import * as x from "./x.js";',
      "Object.keys(x).join('') === 'Zab' ? 'v' : 'w'",
      'export const b = ""; export const a = "v"; export const Z = "";',
    ],
    ["a list of exports", 'import { b } from "./x.js";', "b", 'const a = "v"; export { a as b };'],
    ["exported before it is declared", 'import { a } from "./x.js";', "a", 'export { a }; const a = "v";'],
    ["a function", 'import { f } from "./x.js";', 'f("v")', "export const f = (s: string) => s;"],
    ["a function declaration", 'import { f } from "./x.js";', "f()", 'export function f() { return "v"; }'],
    ["passed on by name", 'import { b } from "./x.js";', "b", 'export { a as b } from "./y.js";'],
    ["passed on as default", 'import b from "./x.js";', "b", 'export { a as default } from "./y.js";'],
    ["all passed on", 'import { a } from "./x.js";', "a", 'export * from "./y.js";'],
    ["all passed on as one", 'import { y } from "./x.js";', "y.a", 'export * as y from "./y.js";'],
    [
      "the module's own before those",
      'import { a } from "./x.js";',
      "a",
      'export * from "./z.js"; export const a = "v";',
    ],
    [
      "types",
      'import { type T, a } from "./x.js"; import type { U } from "./x.js";',
      "a",
      'export type T = string; export interface U { a: T } export const a: T = "v"; export type { U as V };',
    ],
    ["JSON", 'import data from "./data.json";', "data.list[0]", ""],
    ["JSON with its type", 'import data from "./data.json" with { type: "json" };', "data.list[0]", ""],
    [
      "JSON passed on",
      'import { data } from "./x.js";',
      "data.list[0]",
      'export { default as data } from "./data.json";',
    ],
  ])("%s", (_, imports, value, x) => {
    const files = { "x.ts": x, "y.ts": 'export const a = "v";', "z.ts": 'export const a = "z";' };
    const { policy, reported } = readProject(`${imports}\n${policyOf(value)}`, {
      ...files,
      "data.json": '{"list": ["v"]}',
    });
    expect(reported).toEqual([]);
    expect(policy?.customer?.value).toBe("v");
  });

  test("a module is read once: a list in it is the same list for all", () => {
    const { policy, reported } = readProject(
      `import { bad } from "./lists.js";
import { rule } from "./rules.js";
export default policy({ customer: "a", prefixes: [], mitigate: [rule, drop("b", expr\`ip.src in \${bad}\`)],
  firewall: { default: "drop", rules: [] } });`,
      {
        "lists.ts": 'import { list } from "tidegate"; export const bad = list(["192.0.2.0/24"]);',
        "rules.ts":
          'import { drop, expr } from "tidegate"; import { bad as mine } from "./lists.js"; export const rule = drop("a", expr`ip.src in ${mine}`);',
      },
    );
    expect(reported).toEqual([]);
    const lists = policy?.mitigate.map(({ match }) => (match.kind === "inList" ? match.list : null));
    expect(lists?.[0]?.name).toBe("bad");
    expect(lists?.[0]).toBe(lists?.[1]);
  });
});

describe("mistakes of imports", () => {
  test.each([
    ["TG1015", 'import { a } from "./lits.js";', '"./lits.js"', "`./lists.ts`"],
    ["TG1018", 'import { b } from "./lists.ts";', "b", null],
    ["TG1018", 'import { prefixs } from "./lists.ts";', "prefixs", "`prefixes`"],
    ["TG1018", 'import data from "./lists.ts";', "data", "import by names"],
    ["TG1018", 'import { list as l } from "./data.json";', "list", "import list from"],
    ["TG1018", 'export { b } from "./lists.ts";', "b", null],
    ["TG1013", 'export * from "tidegate";', 'export * from "tidegate";', "import {"],
    ["TG1030", 'import data from "./data.json" with { type: "text" };', 'type: "text"', 'type: "json"'],
  ])("%s %s", (code, imports, under, hint) => {
    const { reported } = readProject(`${imports}\n${policyOf('"a"')}`, {
      "lists.ts": "export const prefixes = [1];",
      "data.json": '["a"]',
    });
    expect(reported.map(({ code, at }) => ({ code, at }))).toEqual([{ code, at: `main.policy.ts ${under}` }]);
    if (hint !== null) expect(reported[0]?.hint).toContain(hint);
  });

  test("a circle of imports is reported once, with the way around", () => {
    const { reported } = readProject(`import { a } from "./a.js";\n${policyOf("a")}`, {
      "a.ts": 'import { b } from "./b.js"; export const a = b;',
      "b.ts": 'import { a } from "./a.js"; export const b = a;',
    });
    expect(reported).toEqual([
      {
        code: "TG1017",
        at: 'b.ts "./a.js"',
        hint: "move what both need into a file of its own",
        related: ['a.ts "./b.js": through this import'],
      },
    ]);
  });

  test.each([
    ["itself", { "a.ts": 'import { a as b } from "./a.js"; export const a = 1;' }, 'a.ts "./a.js"'],
    ["the policy", { "a.ts": 'import p from "./main.policy.js"; export const a = 1;' }, "a.ts"],
  ])("a module that imports %s", (_, files, at) => {
    const { reported } = readProject(`import { a } from "./a.js";\n${policyOf('"a"')}`, files);
    expect(reported.map(({ code }) => code)).toEqual(["TG1017"]);
    expect(reported[0]?.at).toContain(at);
  });

  test("a mistake in a module is reported there, and nothing more where it is used", () => {
    const main = `import { rules, other } from "./rules.js";
export default policy({ customer: other, prefixes: [], firewall: { default: "drop", rules } });`;
    const { reported } = readProject(main, {
      "rules.ts": "export const rules = missing; export const other = ;",
    });
    expect(reported.map(({ code, at }) => [code, at])).toEqual([["TG1001", "rules.ts ;"]]);
  });

  test("more modules than a project can have", () => {
    const chain = Array.from({ length: 1100 }, (_, i) => [`m${i}.ts`, "export const a = 1;"] as const);
    const imports = chain.map((_, i) => `import "./m${i}.js";`).join("\n");
    const { reported } = readProject(`${imports}\n${policyOf('"a"')}`, Object.fromEntries(chain));
    expect(new Set(reported.map(({ code }) => code))).toEqual(new Set(["TG1019"]));
  });
});

describe("JSON", () => {
  test("a value knows its place in the file", () => {
    const main = `import data from "./data.json";
export default policy({ customer: "a", prefixes: data.nets, firewall: { default: "drop", rules: data.rules } });`;
    const { policy, reported } = readProject(main, {
      "data.json": '\ufeff{\r\n  "nets": ["203.0.113.0/24", 7],\r\n  "rules": [] }\n',
    });
    expect(reported.map(({ code, at }) => [code, at])).toEqual([["TG2053", "data.json 7"]]);
    expect(policy?.prefixes[0]?.span).toMatchObject({ file: "data.json", line: 2, column: 12 });
  });

  test.each([
    ['"\\u00e4\\n\\\\"', "d", "ä\n\\"],
    ['["\\"a"]', "d[0]", '"a'],
    ["-1.5e3", "`${d}`", "-1500"],
    [" [0, 10, true, null] ", "`${d[0]} ${d[1]} ${d[2]} ${d[3] === null}`", "0 10 true true"],
    ['{"a": {}, "b": [], "constructor": "c"}', "`${d.b.length} ${d.constructor}`", "0 c"],
  ])("%s", (json, value, is) => {
    const { policy, reported } = readProject(`import d from "./d.json";\n${policyOf(value)}`, {
      "d.json": json,
    });
    expect(reported).toEqual([]);
    expect(policy?.customer?.value).toBe(is);
  });

  test.each([
    ["", "", null],
    ["[1,]", "]", "leave out the comma"],
    ['{"a": 1,}', "}", "leave out the comma"],
    ["[1 2]", "2", null],
    ["{a: 1}", "a", null],
    ['{"a" 1}', "1", null],
    ["[1", "1", null],
    ["[1] 2", "2", null],
    ["// list\n[1]", "/", "no comments"],
    ["['a']", "'", "double quotes"],
    ["[01]", "1", null],
    ["[.5]", ".", null],
    ["[+1]", "+", null],
    ["[NaN]", "N", null],
    ['["a\nb"]', "\n", null],
    ['["a', "a", null],
    ['["\\x41"]', '"', "backslash"],
  ])("what is wrong with %j", (json, under, hint) => {
    const { reported } = readProject(`import d from "./d.json";\n${policyOf('"a"')}`, { "d.json": json });
    expect(reported.map(({ code, at }) => [code, at])).toEqual([["TG1004", `d.json ${under}`]]);
    if (hint !== null) expect(reported[0]?.hint).toContain(hint);
  });

  test.each([
    ["TG1044", '{"a": 1, "a": 2}', '"a"'],
    ["TG1045", '{"__proto__": {"customer": "b"}}', '"__proto__"'],
    ["TG1002", "[".repeat(10_000), "["],
  ])("%s", (code, json, under) => {
    const { reported } = readProject(`import d from "./d.json";\n${policyOf('"a"')}`, { "d.json": json });
    expect(reported.map(({ code, at }) => [code, at])).toEqual([[code, `d.json ${under}`]]);
  });
});

describe("the project on disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-project-"));
  const write = (file: string, text: string | Uint8Array) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };

  beforeAll(() => {
    write("outside/secret.json", '"v"');
    write("project/package.json", '"v"');
    write("project/shared/x.ts", 'import y from "../shared/y.json"; export const a = y;');
    write("project/shared/y.json", '"v"');
    write("project/shared/types.d.ts", "export declare const a: string;");
    write("project/shared/notes.txt", "v");
    write("project/shared/latin.ts", new Uint8Array([0x22, 0xe4, 0x22]));
    write("project/shared/large.ts", " ".repeat(8 * 1024 * 1024 + 1));
    write("project/shared/folder.ts/in.ts", "");
    symlinkSync(join(folder, "outside/secret.json"), join(folder, "project/shared/link.json"));
    symlinkSync(join(folder, "outside"), join(folder, "project/shared/away"));
    symlinkSync(join(folder, "project/shared/y.json"), join(folder, "project/shared/inside.json"));
    symlinkSync("/dev/zero", join(folder, "project/shared/zero.json"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function check(imports: string, place = "project/policies/a.policy.ts") {
    const text = `import { policy } from "tidegate"; ${imports}\n${policyOf("a")}`;
    write(place, text);
    const file = join(folder, place);
    return analyzeAny(file, text, projectModules());
  }

  test.each([
    ['import { a } from "../shared/x.js";'],
    ['import { a } from "../shared/x.ts";'],
    ['import { a } from "../shared/x";'],
    ['import a from "../shared/y.json";'],
    ['import a from "../shared/inside.json";'],
    ['import a from "./../shared/../shared/y.json";'],
  ])("%s", (imports) => {
    const { diagnostics, sources } = check(imports);
    // A customer named "v" with no prefixes: only the meaning is wrong.
    expect(diagnostics.filter(({ code }) => code.startsWith("TG1"))).toEqual([]);
    expect([...sources.keys()].every((file) => file.startsWith(join(folder, "project")))).toBe(true);
  });

  test.each([
    ["TG1016", "../../outside/secret.json", "the path leads"],
    ["TG1016", "../../../../../../../../etc/passwd", "the path leads"],
    ["TG1016", "../../outside/nothing.json", "the path leads"],
    ["TG1016", "../shared/link.json", "a symbolic link leads"],
    ["TG1016", "../shared/away/secret.json", "a symbolic link leads"],
    ["TG1016", "../shared/zero.json", "a symbolic link leads"],
    ["TG1019", "../shared/types.d.ts", "declarations"],
    ["TG1019", "../shared/notes.txt", "neither a .ts nor a .json"],
    ["TG1019", "../shared", "neither a .ts nor a .json"],
    ["TG1019", "../shared/folder.ts", "a folder"],
    ["TG1019", "../shared/latin.ts", "not UTF-8"],
    ["TG1019", "../shared/large.ts", "larger than 8 MB"],
    ["TG1015", "../shared/xx.js", "no module"],
    ["TG1015", "../shared/y.json\\0.ts", "no module"],
    ["TG1015", "./%2e%2e/shared/y.json", "no module"],
  ])("%s %s", (code, specifier, says) => {
    const { diagnostics } = check(`import a from "${specifier}";`);
    const reading = diagnostics.filter((one) => one.code.startsWith("TG1"));
    expect(reading.map((one) => one.code)).toEqual([code]);
    expect(reading[0]?.message).toContain(says);
  });

  test("a missing module: the nearest name of its folder", () => {
    expect(check('import { a } from "../shared/xy.js";').diagnostics[0]?.hint).toContain("`../shared/x.js`");
    expect(check('import a from "../shared/z.json";').diagnostics[0]?.hint).toContain("`../shared/y.json`");
  });

  test("without a mark of a project, the policy's own folder is all", () => {
    expect(check('import a from "../project/shared/y.json";', "loose/a.policy.ts").diagnostics[0]?.code).toBe(
      "TG1016",
    );
    write("loose/lists/b.ts", 'import c from "../c.json"; export default c;');
    write("loose/c.json", '"v"');
    expect(
      check('import a from "./lists/b.js";', "loose/a.policy.ts").diagnostics.filter(({ code }) =>
        code.startsWith("TG1"),
      ),
    ).toEqual([]);
  });
});

test("what a file exports decides what it is", () => {
  const edge =
    'import { edge as e } from "tidegate"; const made = e({ uplinks: ["eth0"], anycast: ["192.0.2.1"], owners: { acme: ["203.0.113.0/24"] } }); export { made as default };';
  expect(analyzeAny("edge.ts", edge).edge).not.toBeNull();
  const commented = `// export default edge({})\nimport { policy } from "tidegate";\n${policyOf('"a"')}`;
  expect(analyzeAny("a.policy.ts", commented).diagnostics.map(({ code }) => code)).not.toContain("TG1052");
  expect(analyzeAny("a.ts", "export default 1;").diagnostics.map(({ code }) => code)).toEqual(["TG1052"]);
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { check } from "../../src/cli/commands/check.js";
import { checkTypes } from "../../src/cli/types/check-types.js";
import { analyze, analyzeEdge } from "../../src/compiler/compile.js";
import { CATALOGUE } from "../../src/compiler/diagnostics/catalogue/index.js";
import { type Diagnostic, diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import type { ModuleHost } from "../../src/dsl/modules.js";
import { tryExample } from "../support/examples.js";

const FILE = "acme.policy.ts";
const IMPORTS = 'import { allow, drop, edge, expr, gre, limit, list, policy } from "tidegate";\n';

const RIGHT: Readonly<Record<string, string>> = {
  customer: '"acme"',
  prefixes: '["203.0.113.0/24"]',
  firewall: '{ default: "drop", rules: [] }',
  tunnels: '{ chicago: gre({ remote: "198.51.100.1" }) }',
  routes: '[{ prefix: "203.0.113.0/24", tunnel: "chicago" }]',
};

/** A policy that is right but for the given properties. */
function policyWith(properties: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ ...RIGHT, ...properties }).map(([name, value]) => `  ${name}: ${value},\n`);
  return `export default policy({\n${lines.join("")}});\n`;
}

type Files = Readonly<Record<string, string>>;

/** A project of files in memory. */
function project(files: Files): ModuleHost {
  return {
    resolve: (specifier) => {
      const file = specifier.replace("./", "");
      const text = files[file];
      return text === undefined
        ? { kind: "refused", reason: { kind: "missing", names: [] } }
        : { kind: "module", file, text };
    },
  };
}

function typesOf(text: string, files: Files = {}, reported: readonly Diagnostic[] = []) {
  return checkTypes([new SourceFile(FILE, text)], project(files), reported);
}

/** `file: what is underlined: message` of every finding. */
function found(text: string, files: Files = {}): readonly string[] {
  const { diagnostics, sources } = typesOf(text, files);
  return diagnostics.map(({ span, message }) => {
    const underlined = sources.get(span.file)?.text.slice(span.start, span.end);
    return `${span.file}: ${underlined}: ${message}`;
  });
}

describe("what the type checker finds", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      "a wrong type of an option",
      `const rules = [limit("a", expr\`tcp.dstport == 1\`, { rate: "5/s", burst: "10" })];`,
      "burst: Type 'string' is not assignable to type 'number' (TS2322)",
    ],
    [
      "a misspelled option",
      `const rules = [limit("a", expr\`tcp.dstport == 1\`, { rate: "5/s", bust: 10 })];`,
      "bust: Object literal may only specify known properties, but 'bust' does not exist in type 'LimitOptions'. Did you mean to write 'burst'? (TS2561)",
    ],
    [
      "a rate without a unit",
      `const rules = [limit("a", expr\`tcp.dstport == 1\`, { rate: "5000" })];`,
      "rate: Type '\"5000\"' is not assignable to type '`${number}/s` | `${number}/m` | `${number}/h`' (TS2322)",
    ],
    [
      "a rule that is no expression",
      `const rules = [drop("a", "tcp")];`,
      "\"tcp\": Argument of type 'string' is not assignable to parameter of type 'Expr' (TS2345)",
    ],
    ["too few arguments", `const rules = [drop("a")];`, "drop: Expected 2 arguments, but got 1 (TS2554)"],
    [
      "a helper's parameter",
      'const web = (port: number) => allow(`web-${port}`, expr`tcp.dstport == ${port}`);\nconst one = web("80");',
      "\"80\": Argument of type 'string' is not assignable to parameter of type 'number' (TS2345)",
    ],
    [
      "a value that may be missing, as strict mode sees it",
      "const first = (ports: readonly number[]): number => ports.find((port) => port > 80);",
      "ports.find((port) => port > 80): Type 'number | undefined' is not assignable to type 'number'. Type 'undefined' is not assignable to type 'number' (TS2322)",
    ],
    [
      "a parameter without a type, as strict mode sees it",
      "const same = (value) => value;",
      "value: Parameter 'value' implicitly has an 'any' type (TS7006)",
    ],
    ["a name of the browser", "const here = window;", "window: Cannot find name 'window' (TS2304)"],
    [
      "a name of Node",
      "const here = process.cwd();",
      "process: Cannot find name 'process'. Do you need to install type definitions for node? Try `npm i --save-dev @types/node` and then add 'node' to the types field in your tsconfig (TS2591)",
    ],
  ];

  test.each(cases)("%s", (_, statements, expected) => {
    expect(found(`${IMPORTS}${statements}\n${policyWith()}`)).toEqual([`${FILE}: ${expected}`]);
  });

  test("a route to a tunnel that does not exist", () => {
    const text = `${IMPORTS}${policyWith({ routes: '[{ prefix: "203.0.113.0/24", tunnel: "chicgo" }]' })}`;
    const message = "Type '\"chicgo\"' is not assignable to type '\"chicago\"' (TS2322)";
    expect(found(text)).toEqual([`${FILE}: tunnel: ${message}`]);
  });

  test("nothing in what is merely unused or unreachable", () => {
    const text = `${IMPORTS}const spare = 1;\nconst f = (a: number) => 2;\n${policyWith()}`;
    expect(found(text)).toEqual([]);
  });

  test("positions behind a byte order mark and wide characters", () => {
    const text = `\ufeff${IMPORTS}/* \u{1f30a} */ const port: number = "443";\n${policyWith()}`;
    const [only] = typesOf(text).diagnostics;
    expect(only?.span).toMatchObject({ line: 2, column: 16, endColumn: 20 });
    expect(found(text)).toEqual([`${FILE}: port: Type 'string' is not assignable to type 'number' (TS2322)`]);
  });

  test("a second place of the project comes as a label", () => {
    const text = `${IMPORTS}interface Site { port: number }\nconst site: Site = { port: "1" };\n${policyWith()}`;
    const [only] = typesOf(text).diagnostics;
    expect(only?.related).toMatchObject([
      {
        span: { file: FILE, line: 2, column: 18, endColumn: 22 },
        text: "The expected type comes from property 'port' which is declared here on type 'Site'",
      },
    ]);
  });

  test("and none that lies in the package's own declarations", () => {
    const text = `${IMPORTS}const rules = [limit("a", expr\`tcp.dstport == 1\`, { rate: 5 })];\n${policyWith()}`;
    expect(typesOf(text).diagnostics).toMatchObject([{ code: "TG2070", related: [] }]);
  });

  test("types that compute are refused before they do", () => {
    const bomb = `type Grow<T extends unknown[]> = T["length"] extends 900 ? T : Grow<[...T, 1]>;\nconst all: Grow<[]> = [];`;
    expect(found(`${IMPORTS}${bomb}\n${policyWith()}`)).toEqual([
      `${FILE}: T["length"] extends 900 ? T : Grow<[...T, 1]>: a policy cannot have conditional types`,
    ]);
  });

  test.each(["TG2070", "TG2071"] as const)("the example of explain-code %s", (code) => {
    const { of, wrong, right } = CATALOGUE[code].example;
    const codes = (snippet: string) => {
      const { text, diagnostics } = tryExample(of, snippet) ?? { text: "", diagnostics: [] };
      return [...diagnostics, ...typesOf(text).diagnostics].map(({ code }) => code);
    };
    expect(codes(wrong)).toEqual([code]);
    expect(codes(right)).toEqual([]);
  });
});

describe("modules", () => {
  test("a mistake in an imported helper is told once, in the helper's own file", () => {
    const files = { "nets.ts": 'export const port: number = "443";\n' };
    const text = `import { port } from "./nets.ts";\n${IMPORTS}const same = port;\n${policyWith()}`;
    const entries = [new SourceFile("a.policy.ts", text), new SourceFile("b.policy.ts", text)];
    const { diagnostics, sources } = checkTypes(entries, project(files), []);
    expect(diagnostics).toMatchObject([{ span: { file: "nets.ts", line: 1, column: 14 } }]);
    expect([...sources.keys()].sort()).toEqual(["a.policy.ts", "b.policy.ts", "nets.ts"]);
  });

  test("types of a helper reach the policy", () => {
    const files = { "nets.ts": "export const port = (n: number): string => `${n}`;\n" };
    const text = `import { port } from "./nets.ts";\n${IMPORTS}const p: number = port(1);\n${policyWith()}`;
    expect(found(text, files)).toEqual([
      `${FILE}: p: Type 'string' is not assignable to type 'number' (TS2322)`,
    ]);
  });

  test("JSON has the types of its values", () => {
    const files = { "nets.json": '{ "partners": ["192.0.2.0/24"], "port": 80 }' };
    const header = `import nets from "./nets.json" with { type: "json" };\n${IMPORTS}`;
    expect(found(`${header}const p = list(nets.partners);\n${policyWith()}`, files)).toEqual([]);
    expect(found(`${header}const p = list(nets.port);\n${policyWith()}`, files)).toEqual([
      `${FILE}: nets.port: Argument of type 'number' is not assignable to parameter of type 'readonly string[]' (TS2345)`,
    ]);
  });

  test("prefixes from JSON are said to be ones, and only then taken", () => {
    const files = { "nets.json": '{ "own": ["203.0.113.0/24"] }' };
    const header = `import nets from "./nets.json" with { type: "json" };\n${IMPORTS}`;
    const plain = `${header}${policyWith({ prefixes: "nets.own" })}`;
    expect(found(plain, files)).toEqual([
      `${FILE}: prefixes: Type 'string[]' is not assignable to type 'readonly \`\${string}/\${number}\`[]'. Type 'string' is not assignable to type '\`\${string}/\${number}\`' (TS2322)`,
    ]);
    const said = `import type { Prefix } from "tidegate";\n${header}${policyWith({ prefixes: "nets.own as Prefix[]" })}`;
    expect(found(said, files)).toEqual([]);
  });

  test("cycles end", () => {
    const files = {
      "a.ts": 'import { b } from "./b.ts";\nexport const a = (): number => b();\n',
      "b.ts": 'import { a } from "./a.ts";\nexport const b = (): number => a();\n',
    };
    expect(found(`import { a } from "./a.ts";\n${IMPORTS}const c = a();\n${policyWith()}`, files)).toEqual(
      [],
    );
  });

  test.each([
    ["an import", 'import { x } from "./secret.ts";'],
    ["an import of types", 'import type { X } from "../secret.ts";'],
    ["an import() type", 'type X = import("/etc/secret").X;'],
    ["a package", 'import type { Server } from "node:net";'],
    ["a referenced file", '/// <reference path="/etc/passwd" />'],
    ["referenced types", '/// <reference types="node" />'],
  ])("what the project does not hold is not read: %s", (_, line) => {
    const asked: string[] = [];
    const modules: ModuleHost = {
      resolve: (specifier) => {
        asked.push(specifier);
        return { kind: "refused", reason: { kind: "outside", through: "path" } };
      },
    };
    const source = new SourceFile(FILE, `${line}\n${IMPORTS}${policyWith()}`);
    const { diagnostics, sources } = checkTypes([source], modules, []);
    expect(diagnostics).toMatchObject([{ code: "TG2070", span: { line: 1 } }]);
    expect([...sources.keys()]).toEqual([FILE]);
    expect(asked.length).toBeLessThanOrEqual(1);
  });

  test("the operator's file has types too", () => {
    const text = `${IMPORTS}const port: number = "1";\nexport default edge({ uplinks: ["eth0"], anycast: [], owners: {} });\n`;
    expect(found(text)).toHaveLength(1);
  });
});

describe("one mistake, one message", () => {
  /** The codes of both, by line. */
  function both(text: string): readonly string[] {
    const reported = analyze(FILE, text).diagnostics.filter(({ severity }) => severity === "error");
    return [...reported, ...typesOf(text, {}, reported).diagnostics].map(({ code }) => code);
  }

  test.each([
    ["a property's value", { mitigate: '[limit("a", expr`tcp.dstport == 1`, { rate: "5000" })]' }],
    ["a property's name", { mitigate: '[limit("a", expr`tcp.dstport == 1`, { rate: "5/s", bust: 1 })]' }],
    ["a property that is missing", { firewall: '{ default: "drop" }' }],
    ["an array that is none", { prefixes: '"203.0.113.0/24"' }],
    ["an argument", { mitigate: '[drop("a", "tcp")]' }],
    ["too few arguments", { mitigate: '[drop("a")]' }],
    ["too many arguments", { mitigate: '[drop("a", expr`tcp.dstport == 1`, 3)]' }],
    ["a name that does not exist", { mitigate: "[drop(nothing, expr`tcp.dstport == 1`)]" }],
    ["a value of an expression", { mitigate: '[drop("a", expr`tcp.dstport == ${true}`)]' }],
    ["a tunnel's name", { routes: '[{ prefix: "203.0.113.0/24", tunnel: "chicgo" }]' }],
  ])("%s", (_, properties) => {
    expect(both(`${IMPORTS}${policyWith(properties)}`)).toHaveLength(1);
  });

  test("a constant's value, wherever it is used", () => {
    const text = `${IMPORTS}const rate = "5000";\n${policyWith({ mitigate: '[limit("a", expr`tcp.dstport == 1`, { rate })]' })}`;
    expect(both(text)).toHaveLength(1);
  });

  test("an import that our reader refuses", () => {
    expect(both(`import { polcy } from "tidegate";\n${IMPORTS}${policyWith()}`)).toHaveLength(1);
    expect(both(`import net from "node:net";\n${IMPORTS}${policyWith()}`)).toHaveLength(1);
  });

  test("but another mistake in the same policy is said", () => {
    const text = `${IMPORTS}const port: number = "1";\n${policyWith({ firewall: '{ default: "drop" }' })}`;
    expect(both(text)).toEqual(["TG2050", "TG2070"]);
  });

  test("what is wrong with a whole of many lines hides nothing in it", () => {
    const text = `${IMPORTS}export default policy({\n  customer: 5 as number,\n  prefixes: ["203.0.113.0/24"],\n});\n`;
    const source = new SourceFile(FILE, text);
    const whole = source.span(text.indexOf("{\n"), text.lastIndexOf("}") + 1);
    const missing = diagnostic("TG2050", whole, { object: "the options of `policy`", property: "firewall" });
    expect(typesOf(text, {}, [missing]).diagnostics).toMatchObject([{ span: { line: 3, column: 3 } }]);
  });

  test("a warning of ours hides nothing", () => {
    const text = `${IMPORTS}const port: number = "1";\n${policyWith()}`;
    const at = text.indexOf("port:");
    const warning = diagnostic("TG3005", new SourceFile(FILE, text).span(at, at + 4), { prefix: "x" });
    expect(typesOf(text, {}, [warning]).diagnostics).toHaveLength(1);
  });

  test("a file that has no syntax tree is left to our reader, and so is one beyond its limits", () => {
    expect(both(`${IMPORTS}const = 5;\nconst port: number = "1";\n${policyWith()}`)).toEqual(["TG1001"]);
    const deep = `const deep = ${"[".repeat(20_000)}${"]".repeat(20_000)};\nconst port: number = "1";\n`;
    expect(both(`${IMPORTS}${deep}${policyWith()}`)).toEqual(["TG1002"]);
  });

  test("types that nest beyond the checker's stack are a diagnostic", () => {
    const files = { "types.ts": `export type Deep = ${"[".repeat(50_000)}${"]".repeat(50_000)};\n` };
    const text = `import type { Deep } from "./types.ts";\n${IMPORTS}${policyWith()}`;
    expect(typesOf(text, files).diagnostics.map(({ code }) => code)).toEqual(["TG1002"]);
  });
});

describe("tidegate check", () => {
  const folders: string[] = [];

  function folderWith(files: Files): string {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-types-"));
    folders.push(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  }

  async function rows(
    files: string | readonly string[],
    types = true,
  ): Promise<readonly { code: string; line: number }[]> {
    const log = vi
      .spyOn(console, "log")
      .mockReset()
      .mockImplementation(() => undefined);
    await check([files].flat(), { format: "json", types });
    return JSON.parse(String(log.mock.calls[0]?.[0]));
  }

  afterEach(() => {
    vi.restoreAllMocks();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  const WRONG = `${IMPORTS}const port: number = "443";\n${policyWith()}`;

  test("a policy outside of any project is type-checked, unless it is not wanted", async () => {
    const file = join(folderWith({ [FILE]: WRONG }), FILE);
    expect(await rows(file)).toMatchObject([{ code: "TG2070", line: 2 }]);
    expect(await rows(file, false)).toEqual([]);
  });

  test("a tsconfig beside it, and a package of our name, change nothing", async () => {
    const folder = folderWith({
      [FILE]: WRONG,
      "tsconfig.json":
        '{ "compilerOptions": { "strict": false, "noCheck": true, "plugins": [{ "name": "x" }] } }',
      "tidegate.d.ts": 'declare module "tidegate" { export const policy: any; }',
    });
    expect(await rows(join(folder, FILE))).toMatchObject([{ code: "TG2070" }]);
  });

  test("findings of both stand in the order of the text", async () => {
    const text = `${IMPORTS}const port: number = "1";\n${policyWith({ firewall: '{ default: "drop" }' })}`;
    const again = `${text}const last: number = "2";\n`;
    const found = await rows(join(folderWith({ [FILE]: again }), FILE));
    expect(found.map(({ code }) => code)).toEqual(["TG2070", "TG2050", "TG2070"]);
  });

  test("a file that is too much keeps no other one from its types", async () => {
    const deep = `const deep = ${"[".repeat(20_000)}${"]".repeat(20_000)};\n${WRONG}`;
    const folder = folderWith({ "deep.policy.ts": deep, [FILE]: WRONG });
    const found = await rows([join(folder, "deep.policy.ts"), join(folder, FILE)]);
    expect(found.map(({ code }) => code)).toEqual(["TG1002", "TG2070"]);
  });
});

test("the operator's example has the types that it should", () => {
  const text = `${IMPORTS}export default edge({ uplinks: ["eth0"], anycast: ["192.0.2.1"], owners: { acme: ["203.0.113.0/24"] } });\n`;
  expect([...analyzeEdge("edge.ts", text).diagnostics, ...typesOf(text).diagnostics]).toEqual([]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkTypes } from "../../src/cli/types/check-types.js";
import { analyze, analyzeEdge } from "../../src/compiler/compile.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import * as authoring from "../../src/dsl/authoring.js";
import { BUILTIN_NAMES, TYPE_NAMES } from "../../src/dsl/builtins/index.js";
import { NO_MODULES } from "../../src/dsl/modules.js";

const { allow, count, drop, edge, expr, gre, limit, list, log, policy, reject } = authoring;

/** What authoring.ts exports, with the text of the documentation above it. */
const EXPORTS = exportsOf(readFileSync(join(import.meta.dirname, "../../src/dsl/authoring.ts"), "utf8"));

interface Export {
  readonly kind: string;
  readonly name: string;
  readonly doc: string;
}

function exportsOf(text: string): readonly Export[] {
  const pattern = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export (function|interface|type) (\w+)/g;
  return [...text.matchAll(pattern)].map(([, doc = "", kind = "", name = ""]) => {
    return { kind, name, doc: doc.replace(/^ ?\* ?/gm, "").trim() };
  });
}

describe("what can be imported is what the reader knows", () => {
  test("functions", () => {
    expect(Object.keys(authoring).sort()).toEqual([...BUILTIN_NAMES].sort());
    const functions = EXPORTS.filter(({ kind }) => kind === "function");
    expect(functions.map(({ name }) => name).sort()).toEqual([...BUILTIN_NAMES].sort());
  });

  test("types", () => {
    const types = EXPORTS.filter(({ kind }) => kind !== "function");
    expect(types.map(({ name }) => name).sort()).toEqual([...TYPE_NAMES].sort());
  });
});

describe("the documentation that an editor shows", () => {
  const SHOWN = EXPORTS.filter(({ name }) => name !== "Policy" && name !== "Edge");

  /** A whole file of an example: a call becomes a constant, and what does not end in a policy gets one. */
  function fileOf(snippet: string): string {
    const used = (names: Iterable<string>) =>
      [...names].filter((name) => new RegExp(`\\b${name}\\b`).test(snippet));
    const statements = /^\w+\(/.test(snippet) ? `const shown = ${snippet};` : snippet;
    const end = `export default policy({
      customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] },
      tunnels: { home: gre({ remote: "198.51.100.1" }) }, routes: [{ prefix: "203.0.113.0/24", tunnel: "home" }],
    });`;
    const isWhole = snippet.includes("export default");
    const values = new Set([...used(BUILTIN_NAMES), ...(isWhole ? [] : ["policy", "gre"])]);
    const types = used(TYPE_NAMES).map((name) => `type ${name}`);
    return `import { ${[...values, ...types].join(", ")} } from "tidegate";
${statements}\n${isWhole ? "" : end}\n`;
  }

  test.each(SHOWN)("$name has an example", ({ doc }) => {
    expect(doc).toMatch(/^[A-Z][\s\S]*\n@example\n./);
  });

  test.each(SHOWN)("the example of $name is right", ({ doc }) => {
    const snippet = doc.split("@example\n")[1] ?? "";
    const text = fileOf(snippet);
    const source = new SourceFile("acme.policy.ts", text);
    expect(checkTypes([source], NO_MODULES, []).diagnostics.map(({ message }) => message)).toEqual([]);
    const read = text.includes("default edge(")
      ? analyzeEdge("edge.ts", text)
      : analyze("acme.policy.ts", text);
    const errors = read.diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  test("every property of an options object has its own", () => {
    const text = readFileSync(join(import.meta.dirname, "../../src/dsl/authoring.ts"), "utf8");
    const bodies = [...text.matchAll(/interface (\w+Options)[^{]*\{([^}]*)\n\}/g)];
    const bare = bodies.flatMap(([, name, body = ""]) =>
      [...body.matchAll(/(.*)\n {2}readonly (\w+)\??:/g)]
        .filter(([, before = ""]) => !before.trim().endsWith("*/"))
        .map(([, , property]) => `${name}.${property}`),
    );
    expect(bodies.length).toBeGreaterThan(6);
    expect(bare).toEqual([]);
  });
});

test("run as JavaScript, a policy is plain data", () => {
  const partners = list(["198.51.100.0/24"]);
  const made = policy({
    customer: "acme",
    prefixes: ["203.0.113.0/24"],
    mitigate: [limit("flood", expr`ip.src in ${partners}`, { rate: "5/s" }), drop("no", expr`a`)],
    firewall: { default: "drop", rules: [allow("yes", expr`b`)] },
    tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
    routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }],
  });
  expect(JSON.parse(JSON.stringify(made))).toMatchObject({
    kind: "policy",
    mitigate: [
      { action: "limit", match: { kind: "expr", text: ["ip.src in ", ""], values: [{ kind: "list" }] } },
      { action: "drop", name: "no" },
    ],
    tunnels: { chicago: { kind: "gre", remote: "198.51.100.1" } },
  });
  expect(edge({ uplinks: [], anycast: [], owners: {} })).toMatchObject({ kind: "edge" });
});

describe("the types catch mistakes in the editor", () => {
  // Each line below must be an error for `tsc`, which checks this file; nothing of it is run.
  const mistakes = () => {
    const firewall = { default: "drop", rules: [] } as const;
    // @ts-expect-error: a rate has a unit
    limit("a", expr`a`, { rate: "5000" });
    // @ts-expect-error: a rate has one of three units
    limit("a", expr`a`, { rate: "5000/d" });
    // @ts-expect-error: the unit is one letter
    limit("a", expr`a`, { rate: "5000/sec" });
    // @ts-expect-error: and the rest is a number
    limit("a", expr`a`, { rate: "many/s" });
    limit("a", expr`a`, { rate: `${4 * 250}/s` });
    // @ts-expect-error: a limit counts by an address
    limit("a", expr`a`, { rate: "5000/s", per: "tcp.dstport" });
    // @ts-expect-error: a rule needs an expression
    drop("a", "ip.src == 192.0.2.1");
    // @ts-expect-error: a boolean cannot stand in an expression
    drop("a", expr`a == ${true}`);
    // @ts-expect-error: nor an object
    drop("a", expr`a == ${{ port: 80 }}`);
    // @ts-expect-error: nor a function
    drop("a", expr`a == ${() => 80}`);
    // @ts-expect-error: nor a rule
    drop("a", expr`a == ${drop("b", expr`b`)}`);
    // @ts-expect-error: nor what may be missing
    drop("a", expr`a == ${[80].find((port) => port > 1)}`);
    drop("a", expr`a in ${["192.0.2.1", 80] as const} and ${expr`b`} and c in ${list([])} and d == ${1}`);
    // @ts-expect-error: a prefix has a length
    policy({ customer: "a", prefixes: ["203.0.113.0"], firewall });
    // @ts-expect-error: a string that may be anything is no prefix
    policy({ customer: "a", prefixes: ["203.0.113.0/24" as string], firewall });
    policy({ customer: "a", prefixes: ["203.0.113.0/24" as string] as authoring.Prefix[], firewall });
    // @ts-expect-error: nobody is answered from XDP
    policy({ customer: "a", prefixes: [], firewall, mitigate: [reject("a", expr`a`)] });
    policy({ customer: "a", prefixes: [], firewall: { default: "reject", rules: [reject("a", expr`a`)] } });
    const counted: readonly authoring.Rule[] = [count("a", expr`a`), log("b", expr`b`)];
    policy({ customer: "a", prefixes: [], firewall: { ...firewall, rules: counted }, mitigate: counted });
    // @ts-expect-error: what is logged is one in a number
    log("a", expr`a`, { sample: "1/100" });
    // @ts-expect-error: a packet is not limited in the end
    policy({ customer: "a", prefixes: [], firewall, tests: [{ packet: "", expect: "limit" }] });
    // @ts-expect-error: the default is written out
    policy({ customer: "a", prefixes: [], firewall: { rules: [] } });
    // @ts-expect-error: options that do not exist yet
    policy({ customer: "a", prefixes: [], firewall, offload: "auto" });
    policy({
      customer: "a",
      prefixes: [],
      firewall,
      tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
      // @ts-expect-error: there is no such tunnel
      routes: [{ prefix: "203.0.113.0/24", tunnel: "chicgo" }],
    });
    policy({
      customer: "a",
      prefixes: [],
      firewall,
      // @ts-expect-error: nothing to route to
      routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }],
    });
  };

  test("and the file type-checks only if each one is", () => {
    expect(mistakes).toBeTypeOf("function");
  });
});

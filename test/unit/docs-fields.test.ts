import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readGeography } from "../../src/cli/io/read-geography.js";
import { FIELD_EXAMPLES, FUNCTION_EXAMPLES } from "../../src/cli/render/field-examples.js";
import { fieldReferenceMarkdown } from "../../src/cli/render/field-reference.js";
import { LITERALS, OPERATOR_ROWS, operatorsOf } from "../../src/cli/render/operator-reference.js";
import { analyze } from "../../src/compiler/compile.js";
import { FIELDS, type Field, isFieldName } from "../../src/compiler/ir/fields.js";
import type { Geography } from "../../src/compiler/ir/geography.js";
import { rulesOf } from "../../src/compiler/ir/policy.js";
import { printExpr } from "../../src/compiler/ir/print.js";
import { NO_MODULES } from "../../src/dsl/modules.js";

const ROOT = join(import.meta.dirname, "../..");
const NAMES = Object.keys(FIELDS).filter(isFieldName);

/** The operator's tables, as the page itself shows them. */
function shownTables(): Geography {
  const [, json = ""] = /```json\n([\s\S]*?)```/.exec(fieldReferenceMarkdown()) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "tidegate-docs-"));
  const file = join(folder, "geo.json");
  writeFileSync(file, json);
  try {
    return readGeography(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const GEOGRAPHY = shownTables();

type Stage = "mitigate" | "firewall" | "stateful";

/** What a policy says that has the expression in one rule. */
function read(expression: string, stage: Stage = "stateful") {
  const rule = `drop("only", expr\`${expression.replaceAll("\\", "\\\\")}\`)`;
  const [early, late] = stage === "mitigate" ? [rule, ""] : ["", rule];
  const text = `import { drop, expr, gre, list, policy } from "tidegate";
const partners = list(["192.0.2.0/24", "2001:db8:7::/48"]);
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [${early}],
  ${stage === "stateful" ? "// tidegate-ignore TG3007: the test asks for it" : ""}
  firewall: { default: "drop", stateful: ${stage === "stateful"}, rules: [${late}] },
  tunnels: { home: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "home" }],
});`;
  const { policy, diagnostics } = analyze("acme.policy.ts", text, NO_MODULES, GEOGRAPHY);
  const [found] = policy ? rulesOf(policy) : [];
  return {
    match: found && printExpr(found.match),
    found: diagnostics.map((one) => `${one.code} ${one.message}`),
  };
}

test("docs/fields.md is what the field table says (UPDATE_DOCS=1 writes it)", () => {
  const file = join(ROOT, "docs/fields.md");
  const text = fieldReferenceMarkdown();
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, text);
  expect(readFileSync(file, "utf8")).toBe(text);
  for (const name of [...NAMES, ...Object.keys(FUNCTION_EXAMPLES)]) expect(text).toContain(`| \`${name}\` |`);
});

describe("an example is right, and about its field", () => {
  test.each([...Object.entries(FIELD_EXAMPLES), ...Object.entries(FUNCTION_EXAMPLES)])("%s", (name, text) => {
    expect(text).toContain(name);
    expect(read(text, name === "eth.vlan" ? "mitigate" : "stateful").found).toEqual([]);
  });
});

describe("a field can be used where its row says", () => {
  const rows = fieldReferenceMarkdown().split("\n");
  const where: Readonly<Record<string, readonly Stage[]>> = {
    both: ["mitigate", "firewall", "stateful"],
    "`mitigate`": ["mitigate"],
    "`firewall`, with `stateful`": ["stateful"],
  };
  test.each(NAMES)("%s", (name) => {
    const row = rows.find((one) => one.startsWith(`| \`${name}\` |`))?.split(" | ");
    const stages = (["mitigate", "firewall", "stateful"] as const).filter(
      (stage) => read(FIELD_EXAMPLES[name], stage).found.length === 0,
    );
    expect(stages).toEqual(where[row?.[4] ?? ""]);
  });
});

const VALUES: Readonly<Record<Field["type"], string>> = {
  address: "192.0.2.7",
  number: "4",
  flag: "1",
  country: '"DE"',
  asnum: "64501",
};

describe("a field takes the operators that are listed for it, and no others", () => {
  const comparing = OPERATOR_ROWS.filter(({ sign }) => !["not", "and", "xor", "or"].includes(sign));
  test.each(NAMES)("%s", (name) => {
    const value = VALUES[FIELDS[name].type];
    const refused = ["TG2003", "TG2004", "TG2007"];
    const taken = comparing.filter(({ sign }) => {
      const text = ["contains", "matches"].includes(sign) ? '"D"' : value;
      const { found } = read(`${name} ${sign} ${sign === "in" ? `{${text}}` : text}`);
      return !found.some((one) => refused.includes(one.slice(0, 6)));
    });
    expect(taken.map(({ sign }) => sign).sort()).toEqual([...operatorsOf(name)].sort());
  });
});

describe("both spellings of an operator mean the same", () => {
  test.each(OPERATOR_ROWS)("$sign $word", ({ sign, word, example }) => {
    expect(example).toContain(sign);
    const respelled = example.split(" ").map((part) => (part === sign ? word : part));
    const [written, other] = [read(example), read(respelled.join(" "))];
    expect(written.found).toEqual([]);
    expect(other.match).toBe(written.match);
  });
});

describe("every form of a value is read", () => {
  const FRONTS: Readonly<Record<string, string>> = {
    number: "tcp.dstport ==",
    address: "ip.src ==",
    text: "ip.proto ==",
    set: "tcp.dstport in",
    prefix: "ip.src in",
    list: "ip.src in",
  };
  const forms = LITERALS.flatMap(({ what, forms }) => forms.map((form) => ({ what, form })));
  test.each(forms)("$what $form", ({ what, form }) => {
    const front = FRONTS[what] ?? (form.includes(".0.2.") ? "ip.src in" : "tcp.dstport in");
    // A regular expression is read as such.
    const whole = form.includes("^") ? `ip.proto matches ${form}` : `${front} ${form}`;
    expect(read(whole).found).toEqual([]);
  });
});

test("numbers are read as their row says", () => {
  const same = ["443", "0x1bb", "0673"].map((form) => read(`tcp.dstport == ${form}`).match);
  expect(new Set(same).size).toBe(1);
});

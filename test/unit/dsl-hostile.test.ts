import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectModules } from "../../src/cli/io/project.js";
import { analyze } from "../../src/compiler/compile.js";
import { policyOf, readProject } from "../support/modules.js";

const FOLDER = join(import.meta.dirname, "../hostile");

/** Policies that somebody could write to harm the reader. The first line of each names what is reported, in order. */
describe("hostile policies", () => {
  test.each(readdirSync(FOLDER))("%s", (name) => {
    const file = join(FOLDER, name);
    const text = readFileSync(file, "utf8");
    const { policy, diagnostics } = analyze(file, text, projectModules());
    expect(policy).toBeNull();
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code }) => code)).toEqual(text.split("\n", 1)[0]?.slice("// ".length).split(" "));
    for (const { span } of errors) expect(span.end).toBeGreaterThan(span.start);
  });
});

describe("texts too large to be kept", () => {
  const ones = (count: number) => `const a = [${"1,".repeat(count)}];`;

  test.each<readonly [name: string, text: string, code: string]>([
    ["a million elements", ones(1_000_000), "TG1005"],
    ["brackets", `const a = ${"[".repeat(100_000)};`, "TG1002"],
    ["brackets that close", `const a = ${"[".repeat(5000)}${"]".repeat(5000)};`, "TG1002"],
    ["parentheses", `const a = ${"(".repeat(100_000)};`, "TG1002"],
    ["negations", `const a = ${"!".repeat(3000)}1;`, "TG1002"],
    ["additions", `const a = ${"1+".repeat(900)}1;`, "TG1002"],
    ["members", `const a = {}; const b = a${"?.a".repeat(900)};`, "TG1002"],
    ["functions", `const a = ${"() => ".repeat(900)}1; const b = a${"()".repeat(900)};`, "TG1002"],
    ["patterns", `const ${"[".repeat(700)}a${"]".repeat(700)} = [];`, "TG1002"],
    ["doubled text", `const a0 = "ab";${doubled("+")}`, "TG1003"],
    ["doubled expressions", `const a0 = expr\`a\`;${doubledExpressions()}`, "TG1003"],
  ])("%s", (_, text, code) => {
    const { reported } = readProject(`${text}\n${policyOf('"a"')}`);
    expect([...new Set(reported.map((one) => one.code))]).toEqual([code]);
  });

  test.each([
    ["half a million numbers", `[${"0,".repeat(499_999)}0]`, "TG2053"],
    ["two million numbers", `[${"0,".repeat(1_999_999)}0]`, "TG1003"],
    ["brackets", "[".repeat(1_000_000), "TG1002"],
    ["one long text", `"${"a".repeat(10_000_000)}"`, "TG2053"],
    ["line breaks", `${"\n".repeat(10_000_000)}1`, "TG2053"],
  ])("JSON: %s", (_, json, code) => {
    const text = `import data from "./data.json";\nconst a = list(data);\n${policyOf('"a"')}`;
    const { reported } = readProject(text, { "data.json": json });
    expect([...new Set(reported.map((one) => one.code))]).toEqual([code]);
  });

  test.each([100_000, 1_000_000])("%d prefixes are no harm", (count) => {
    const prefixes = Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`);
    const text = `import data from "./data.json";
const nets = list(data);
export default policy({ customer: "a", prefixes: [], mitigate: [drop("a", expr\`ip.src in \${nets}\`)],
  firewall: { default: "drop", rules: [] } });`;
    const { policy, reported } = readProject(text, { "data.json": JSON.stringify(prefixes) });
    expect(reported).toEqual([]);
    const [rule] = policy?.mitigate ?? [];
    expect(rule?.match.kind === "inList" && rule.match.list.items.length).toBe(count);
  });

  test("10,000 rules of a helper are no harm", () => {
    const text = `
const rule = (i: number, host: string) =>
  allow(\`rule-\${i}\`, expr\`ip.dst == \${host} and tcp.dstport in {\${i} 80 443}\`);
const rules = Array.from({ length: 10_000 }, (_, i) => rule(i, \`203.0.113.\${i % 256}\`));
export default policy({ customer: "a", prefixes: [], firewall: { default: "drop", rules } });`;
    const { policy, reported } = readProject(text);
    expect(reported).toEqual([]);
    expect(policy?.firewall.rules.length).toBe(10_000);
  });
});

test("a mistake for each of a million items is not a million diagnostics", () => {
  const { reported } = readProject(
    `import data from "./data.json";\nconst a = data.map((n) => n.x);\n${policyOf('"a"')}`,
    { "data.json": `[${"0,".repeat(200_000)}0]` },
  );
  expect(reported.length).toBeLessThanOrEqual(1001);
});

function doubled(operator: string): string {
  return Array.from({ length: 60 }, (_, i) => `const a${i + 1} = a${i} ${operator} a${i};`).join("\n");
}

function doubledExpressions(): string {
  return Array.from({ length: 60 }, (_, i) => `const a${i + 1} = expr\`\${a${i}} or \${a${i}}\`;`).join("\n");
}

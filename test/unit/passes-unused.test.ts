// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { analyze } from "../../src/compiler/compile.js";

/** `code: what is underlined` of every error of a policy with these lines before it, and rules that use none of them. */
function errorsOf(lines: string, rule = "tcp.dstport == 80"): readonly string[] {
  const text = `import { allow, drop, expr, list, policy } from "tidegate";
${lines}
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [allow("used", expr\`${rule}\`)] },
});
`;
  return analyze("acme.policy.ts", text)
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code, span }) => `${code}: ${text.slice(span.start, span.end)}`);
}

describe("what no rule uses", () => {
  test.each([
    ["an unknown field", "const a = expr`ip.sorce == 192.0.2.1`;", ["TG2001: ip.sorce"]],
    [
      "an unknown field before what cannot be read",
      "const a = expr`ip.sorce == `;",
      ["TG2001: ip.sorce", "TG1100: `"],
    ],
    ["an operator that does not fit", "const a = expr`ip.src < 192.0.2.1`;", ["TG2003: ip.src < 192.0.2.1"]],
    ["a port that is too large", "const a = expr`not (tcp.dstport == 70000)`;", ["TG2006: 70000"]],
    ["text of a number", 'const a = expr`tcp.dstport contains "8"`;', ['TG2003: tcp.dstport contains "8"']],
    ["in a rule", 'const a = drop("a", expr`ip.sorce == 192.0.2.1`);', ["TG2001: ip.sorce"]],
    [
      "in a function that nobody calls",
      "const a = (p: number) => expr`udp.prt == ${p}`;",
      ["TG2001: udp.prt"],
    ],
    ["a list", 'const a = list(["192.0.2.1", "192.0.2.256"]);', ['TG2011: "192.0.2.256"']],
    ["a list without a name", '[list(["192.0.2"])].length === 1 ? [] : [];', ["TG2011: "]],
  ])("has its mistakes reported: %s", (_, lines, expected) => {
    const found = errorsOf(lines);
    for (const one of expected) expect(found.some((error) => error.startsWith(one))).toBe(true);
  });

  test.each([
    ["right", "const a = expr`ip.src == 192.0.2.1`;"],
    ["about countries, without the operator's tables", 'const a = expr`ip.src.country == "DE"`;'],
    ["about countries, and cannot be read", "const a = expr`${[].length} ip.src.country`;"],
    ["about names of protocols", 'const a = expr`ip.proto contains "tc"`;'],
    ["an empty set", "const a = expr`ip.src in ${[]}`;"],
    ["an empty list", "const a = list([]);"],
  ])("and nothing else: %s", (_, lines) => {
    expect(errorsOf(lines).filter((error) => error.startsWith("TG2"))).toEqual([]);
  });
});

test("what a rule uses is reported once", () => {
  const lines = 'const a = expr`ip.sorce == 192.0.2.1`; const b = list(["192.0.2.256"]);';
  expect(errorsOf(lines, "${a} or ip.src in ${b}")).toEqual(["TG2001: ip.sorce", 'TG2011: "192.0.2.256"']);
});

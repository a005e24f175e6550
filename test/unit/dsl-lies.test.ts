// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { describe, expect, test } from "vitest";
import { checkTypes } from "../../src/cli/types/check-types.js";
import { analyze } from "../../src/compiler/compile.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { NO_MODULES } from "../../src/dsl/modules.js";

/** TypeScript believes what `as any` says; our reader looks at the value. */

const RIGHT: Readonly<Record<string, string>> = {
  customer: '"acme"',
  prefixes: '["203.0.113.0/24"]',
  firewall: '{ default: "drop", rules: [] }',
  tunnels: '{ chicago: gre({ remote: "198.51.100.1" }) }',
  routes: '[{ prefix: "203.0.113.0/24", tunnel: "chicago" }]',
};

function sourceWith(properties: Readonly<Record<string, string>>): SourceFile {
  const lines = Object.entries({ ...RIGHT, ...properties }).map(([name, value]) => `  ${name}: ${value},\n`);
  const imports = 'import { drop, expr, gre, limit, list, policy } from "tidegate";\n';
  return new SourceFile("acme.policy.ts", `${imports}export default policy({\n${lines.join("")}});\n`);
}

/** The code, what is underlined (its first line), and the message. */
function read(source: SourceFile): readonly string[] {
  const { diagnostics } = analyze(source.file, source.text);
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ code, span, message }) => {
      const [underlined] = source.text.slice(span.start, span.end).split("\n");
      return `${code} ${underlined}: ${message}`;
    });
}

const MATCH = "expr`tcp.dstport == 80`";

describe("a lie to the type checker", () => {
  test.each([
    ["a customer", { customer: "5 as any" }, "TG2053 5: `customer` must be a string, not a number"],
    [
      "a customer that is a list",
      { customer: "list([]) as any" },
      "TG2053 list([]): `customer` must be a string, not a list",
    ],
    [
      "prefixes",
      { prefixes: '"203.0.113.0/24" as any' },
      'TG2053 "203.0.113.0/24": `prefixes` must be an array, not a string',
    ],
    [
      "one prefix",
      { prefixes: "[24 as any]" },
      "TG2053 24: an item of `prefixes` must be a string, not a number",
    ],
    [
      "prefixes that are missing",
      { prefixes: "undefined as any" },
      "TG2050 {: `prefixes` is missing in the options of `policy`",
    ],
    [
      "a rule",
      { mitigate: '["drop" as any]' },
      'TG2053 "drop": an item of `mitigate` must be a rule, not a string',
    ],
    [
      "a rule's name",
      { mitigate: `[drop(5 as any, ${MATCH})]` },
      "TG2053 5: the name of `drop` must be a string, not a number",
    ],
    [
      "an expression",
      { mitigate: '[drop("a", "tcp.dstport == 80" as any)]' },
      'TG2053 "tcp.dstport == 80": the match of `drop` must be an expression (expr`…`), not a string',
    ],
    [
      "a value of an expression",
      { mitigate: '[drop("a", expr`tcp.dstport == ${{ port: 80 } as any}`)]' },
      "TG1120 { port: 80 }: an object cannot stand in an expression",
    ],
    [
      "a rate",
      { mitigate: `[limit("a", ${MATCH}, { rate: 5000 as any })]` },
      "TG2053 5000: `rate` must be a string, not a number",
    ],
    [
      "a burst",
      { mitigate: `[limit("a", ${MATCH}, { rate: "5/s", burst: "10" as any })]` },
      'TG2053 "10": `burst` must be a number, not a string',
    ],
    [
      "what a limit counts by",
      { mitigate: `[limit("a", ${MATCH}, { rate: "5/s", per: "tcp.dstport" as any })]` },
      'TG2032 "tcp.dstport": a limit cannot count per `tcp.dstport`',
    ],
    [
      "options as a whole",
      { mitigate: `[limit("a", ${MATCH}, "5/s" as any)]` },
      'TG2053 "5/s": the options of `limit` must be an object, not a string',
    ],
    [
      "an option that does not exist",
      { mitigate: `[limit("a", ${MATCH}, { rate: "5/s", bust: 1 } as any)]` },
      "TG2051 bust: unknown property `bust` in the options of `limit`",
    ],
    ["a firewall", { firewall: "[] as any" }, "TG2053 []: `firewall` must be an object, not an array"],
    [
      "a verdict",
      { firewall: '{ default: "accept" as any, rules: [] }' },
      'TG2034 "accept": `default` must be "allow", "drop" or "reject", not "accept"',
    ],
    [
      "a verdict that is missing",
      { firewall: "{ rules: [] } as any" },
      "TG2050 { rules: [] }: `default` is missing in `firewall`",
    ],
    [
      "a tunnel",
      { tunnels: '{ chicago: { kind: "gre", remote: "198.51.100.1" } as any }' },
      'TG2053 { kind: "gre", remote: "198.51.100.1" }: `chicago` in `tunnels` must be a tunnel, not an object',
    ],
    [
      "a tunnel's remote",
      { tunnels: "{ chicago: gre({ remote: 5 as any }) }" },
      "TG2053 5: `remote` must be a string, not a number",
    ],
    [
      "a route",
      { routes: '["203.0.113.0/24" as any]' },
      'TG2053 "203.0.113.0/24": an item of `routes` must be an object, not a string',
    ],
    [
      "a route's tunnel",
      { routes: '[{ prefix: "203.0.113.0/24", tunnel: "boston" as any }]' },
      'TG2023 "boston": there is no tunnel named `boston`',
    ],
    ["a test", { tests: "[null as any]" }, "TG2053 null: an item of `tests` must be an object, not null"],
  ])("about %s", (_, properties, expected) => {
    const source = sourceWith(properties);
    expect(checkTypes([source], NO_MODULES, []).diagnostics).toEqual([]);
    expect(read(source)).toEqual([expected]);
  });
});

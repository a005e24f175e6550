import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { analyze, analyzeEdge, emit } from "../../src/compiler/compile.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { policyText } from "../support/reading.js";

const EXAMPLES = join(import.meta.dirname, "../../examples");

describe.each(["acme", "globex"])("the %s example", (name) => {
  const file = join(EXAMPLES, name, `${name}.policy.ts`);
  const { policy, diagnostics } = analyze(file, readFileSync(file, "utf8"));

  test("has no mistakes and no warnings", () => {
    expect(diagnostics).toEqual([]);
  });

  test.each(policy?.tests ?? [])("$packet: $expect", ({ packet, expect: verdict, rule }) => {
    const parsed = parsePacket(packet);
    if (!policy || parsed.kind !== "packet") throw new Error("the policy and its packets can be read");
    const trace = evaluate(policy, parsed.bytes, newState(), 0n);
    expect(trace).toMatchObject({ verdict, rule });
  });

  test("gives the same text each time", () => {
    if (!policy) throw new Error("the policy can be read");
    expect(emit(policy)).toEqual(emit(policy));
    expect(emit(policy).length).toBeGreaterThan(2);
  });
});

describe("mistakes of every stage in one run", () => {
  test("no policy, and the mistakes in source order", () => {
    const text = policyText({
      customer: '"Acme"',
      mitigate: 'drop("bad", expr`ip.src in {10.0.0.1/8}`)',
      rules: 'allow("worse", expr`tcp.dstport == 70000`)',
    });
    const { policy, diagnostics } = analyze("test.policy.ts", text);
    expect(policy).toBeNull();
    expect(diagnostics.map(({ code }) => code)).toEqual(["TG2020", "TG1111", "TG2006"]);
  });

  test("a part that cannot be read hides no mistake of another part, and makes none", () => {
    const text = policyText({
      customer: "5",
      prefixes: '["203.0.113.0/24", nobodys]',
      mitigate: 'drop("bad", expr`tcp.dstport ==`), drop("worse", expr`tcp.dstport == 70000`)',
      byDefault: "undefined",
      rules: 'allow("other", expr`ip.dst == 192.0.2.1`)',
      tunnels: '{ main: gre({ remote: "198.51.100.1" }), other: gre({ ttl: 0 }) }',
      routes: '[{ prefix: "203.0.113.0/24" }, { prefix: "203.0.113.1/24", tunnel: "other" }]',
      tests: '5, { packet: "udp", expect: "drop", rule: "bad" }',
    });
    const { policy, diagnostics, source } = analyze("test.policy.ts", text);
    expect(policy).toBeNull();
    const found = diagnostics.map(({ code, span }) =>
      `${code} ${source.text.slice(span.start, span.end)}`.replace(/\s+/g, " "),
    );
    expect(found).toEqual([
      "TG2053 5",
      "TG1020 nobodys",
      "TG1100 `",
      "TG2006 70000",
      'TG2050 { default: undefined, stateful: false, rules: [allow("other", expr`ip.dst == 192.0.2.1`)], }',
      "TG2050 { ttl: 0 }",
      'TG2050 { prefix: "203.0.113.0/24" }',
      'TG2010 "203.0.113.1/24"',
      "TG2053 5",
      "TG2035 udp",
    ]);
  });

  test("a mistake in a rule does not hide a route without its tunnel", () => {
    const text = policyText({
      rules: 'allow("web", expr`tcp.dstport ==`)',
      routes: '[{ prefix: "203.0.113.0/24", tunnel: "mian" }]',
    });
    expect(analyze("test.policy.ts", text).diagnostics.map(({ code }) => code)).toContain("TG2023");
  });

  test.each(["prefixes: 5", "prefixes: [5]"])(
    "%s: nothing is said to lie outside, or to be missing",
    (prefixes) => {
      const text = policyText({ prefixes: prefixes.slice("prefixes: ".length) });
      expect(analyze("test.policy.ts", text).diagnostics.map(({ code }) => code)).toEqual(["TG2053"]);
    },
  );

  test("warnings alone leave the policy", () => {
    const { policy, diagnostics } = analyze("test.policy.ts", policyText({ routes: "[]" }));
    expect(policy).not.toBeNull();
    expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      "warning TG3005",
      "warning TG3005",
    ]);
  });

  test("text that is no policy", () => {
    const { policy, diagnostics } = analyze("test.policy.ts", "export default 1 +");
    expect(policy).toBeNull();
    expect(diagnostics.length).toBeGreaterThan(0);
  });
});

test("the example's edge file has no mistakes", () => {
  const { edge, diagnostics } = analyzeEdge("edge.ts", readFileSync(join(EXAMPLES, "edge.ts"), "utf8"));
  expect(diagnostics).toEqual([]);
  expect(edge?.owners.map(({ customer }) => customer)).toEqual(["acme", "globex"]);
});

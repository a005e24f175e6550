import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { analyze, analyzeEdge, emit } from "../../src/compiler/compile.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newLimitState } from "../../src/compiler/semantics/gcra.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
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
    const trace = evaluate(policy, parsed.bytes, newLimitState(), 0n);
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

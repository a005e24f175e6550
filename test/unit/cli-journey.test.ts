import { describe, expect, test } from "vitest";
import { renderJourney } from "../../src/cli/render/journey.js";
import { sourcesOf } from "../../src/cli/render/sources.js";
import { analyze } from "../../src/compiler/compile.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newLimitState } from "../../src/compiler/semantics/gcra.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";

const RULES = `import { count, expr, log, reject } from "tidegate";
export const rules = [
  count("seen", expr\`ip.ttl >= 1\`),
  log("noted", expr\`ip.proto == "tcp"\`, { sample: 10 }),
  reject("ident", expr\`tcp.dstport == 113\`),
];
`;

function policyText(firewall: string): string {
  return `import { policy } from "tidegate";
import { rules } from "./rules.ts";
export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: ${firewall} });
`;
}

/** What `explain` prints of one packet; the rules come from a module of their own. */
function journey(firewall: string, text: string): string {
  const { policy, sources, diagnostics } = analyze("acme.policy.ts", policyText(firewall), {
    resolve: () => ({ kind: "module", file: "rules.ts", text: RULES }),
  });
  const parsed = parsePacket(text);
  if (!policy || parsed.kind !== "packet") throw new Error(JSON.stringify([diagnostics, parsed]));
  const trace = evaluate(policy, parsed.bytes, newLimitState(), 0n, parsed.surroundings);
  return renderJourney(policy, sourcesOf(sources.values()), text, trace);
}

describe("the journey of a packet", () => {
  test.each([
    ["tcp 192.0.2.7:1 > 203.0.113.9:113", "ident (rules.ts:5)  reject: dropped, and the sender is told"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:113", "seen (rules.ts:3)  counted, goes on"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:113", "noted (rules.ts:4)  counted, logged if its turn comes, goes on"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:80", "ident (rules.ts:5)  no match, false: `tcp.dstport == 113`"],
    [
      "udp 192.0.2.7:1 > 203.0.113.9:80",
      "ident (rules.ts:5)  no match, the packet has no such field: `tcp.dstport == 113`",
    ],
    ["udp 192.0.2.7:1 > 203.0.113.9:80", "no rule decided: reject by default"],
  ])("%s: %s", (text, line) => {
    expect(journey(`{ default: "reject", rules }`, text)).toContain(line);
  });

  test("a fragment at a stateful firewall is held", () => {
    const lines = journey(
      `{ default: "drop", rules, stateful: true }`,
      "tcp 192.0.2.7:1 > 203.0.113.9:113 frag=0+",
    ).split("\n");
    expect(lines.slice(1)).toEqual([
      "  mitigate  no rule decided: on to the firewall",
      "  firewall  held: a stateful firewall judges datagrams, and this fragment waits for the rest of its own",
    ]);
  });
});

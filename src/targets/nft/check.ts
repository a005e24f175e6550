import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { testsOf } from "../../compiler/ir/expr.js";
import type { Policy, Rule } from "../../compiler/ir/policy.js";
import type { Part } from "./condition.js";
import { decisionsOf, MAX_LINES } from "./decisions.js";

/** nft takes everything that the IR can say of an IP packet, but not at any size. */
export function check(policy: Policy, diagnostics: Diagnostics): void {
  for (const rule of policy.firewall.rules) {
    const tagged = testsOf(rule.match).find(({ needs }) => needs.header === "vlan");
    if (tagged) diagnostics.report("TG4051", tagged.span, { rule: rule.name });
    else checkLines(rule, diagnostics);
  }
}

const PARTS = ["whole", "laterFragment"] as const satisfies readonly Part[];

function checkLines({ name, match, span }: Rule, diagnostics: Diagnostics): void {
  if (PARTS.every((part) => decisionsOf(match, part))) return;
  const hint = "put values of one field into one set, or split the rule: `drop` and `allow` end the stage";
  diagnostics.report("TG4050", span, { rule: name, limit: MAX_LINES }, { hint });
}

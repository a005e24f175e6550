import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Part } from "./condition.js";
import { decisionsOf, MAX_LINES } from "./decisions.js";

const PARTS = ["whole", "laterFragment"] as const satisfies readonly Part[];

/** nft takes everything that the IR can say, but not at any size. */
export function check(policy: Policy, diagnostics: Diagnostics): void {
  for (const rule of policy.firewall.rules) {
    if (PARTS.every((part) => decisionsOf(rule.match, part))) continue;
    diagnostics.report(
      "TG4050",
      rule.span,
      { rule: rule.name, limit: MAX_LINES },
      { hint: "put values of one field into one set, or split the rule: `drop` and `allow` end the stage" },
    );
  }
}

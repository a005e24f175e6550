import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { Policy, Rule } from "../../compiler/ir/policy.js";
import { instructions, MAX_INSTRUCTIONS, MAX_MAPS, PROGRAM_COST } from "./cost.js";
import { limitMap, listsIn } from "./maps.js";

/** Every expression can be said in C; what can run out is room. Names the rule that crosses a limit. */
export function check(policy: Policy, diagnostics: Diagnostics): void {
  checkInstructions(policy.mitigate, diagnostics);
  checkMaps(policy.mitigate, diagnostics);
}

function checkInstructions(rules: readonly Rule[], diagnostics: Diagnostics): void {
  let total = PROGRAM_COST;
  for (const rule of rules) {
    total += instructions(rule);
    if (total <= MAX_INSTRUCTIONS) continue;
    const params = { rule: rule.name, total, limit: MAX_INSTRUCTIONS };
    const hint = "put the addresses of long sets into a `list([...])`, or move rules to the `firewall` stage";
    diagnostics.report("TG4001", rule.span, params, { hint });
    return;
  }
}

function checkMaps(rules: readonly Rule[], diagnostics: Diagnostics): void {
  const maps = new Set<string>();
  for (const rule of rules) {
    for (const list of listsIn(rule.match)) maps.add(list);
    if (rule.action.kind === "limit") maps.add(limitMap(rule.name));
    if (maps.size <= MAX_MAPS) continue;
    const hint = "join lists that are always used together, or limits that may share one allowance";
    diagnostics.report("TG4002", rule.span, { rule: rule.name, limit: MAX_MAPS }, { hint });
    return;
  }
}

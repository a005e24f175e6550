import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { Test } from "../../compiler/ir/expr.js";
import { forwardsInXdp, type Policy, type Rule } from "../../compiler/ir/policy.js";
import { planOf } from "./classifier/plan.js";
import { instructions, MAX_INSTRUCTIONS, mostMaps, programCost } from "./cost.js";
import { sendsSome } from "./early.js";
import { hasFastWay } from "./forward.js";
import { limitMap, listsIn } from "./maps.js";
import { numberTests } from "./places.js";
import { earlyRoom } from "./room.js";

/**
 * Every expression about bytes can be said in C; what can run out is room, where rules cannot be looked up in tables.
 * Names the rule that crosses a limit.
 */
export function check(policy: Policy, diagnostics: Diagnostics): void {
  checkConnections(policy.mitigate, diagnostics);
  checkLogs(policy.mitigate, diagnostics);
  const rules = policy.mitigate.filter((rule) => connectionTest(rule) === undefined);
  if (rules.length < policy.mitigate.length) return;
  const isByTables = planOf(policy) !== null;
  if (!isByTables) checkInstructions(rules, diagnostics);
  checkMaps(policy, isByTables, diagnostics);
  checkForwarding(policy, diagnostics);
}

/** Connection tracking happens behind XDP. */
function checkConnections(rules: readonly Rule[], diagnostics: Diagnostics): void {
  for (const rule of rules) {
    const asked = connectionTest(rule);
    if (asked) diagnostics.report("TG4003", asked.span, { rule: rule.name });
  }
}

function connectionTest({ match }: Rule): Test | undefined {
  return numberTests(match).find(({ field }) => field.header === "ct");
}

/** A program of XDP can only count. */
function checkLogs(rules: readonly Rule[], diagnostics: Diagnostics): void {
  for (const { name, action, span } of rules) {
    if (action.kind === "log") diagnostics.report("TG4004", span, { rule: name });
  }
}

function checkInstructions(rules: readonly Rule[], diagnostics: Diagnostics): void {
  let total = programCost(rules);
  for (const rule of rules) {
    total += instructions(rule);
    if (total <= MAX_INSTRUCTIONS) continue;
    const params = { rule: rule.name, total, limit: MAX_INSTRUCTIONS };
    const hint = "put the addresses of long sets into a `list([...])`, or move rules to the `firewall` stage";
    diagnostics.report("TG4001", rule.span, params, { hint });
    return;
  }
}

/** By tables, lists need no maps. */
function checkMaps(policy: Policy, isByTables: boolean, diagnostics: Diagnostics): void {
  const maps = new Set<string>();
  const limit = mostMaps(policy);
  for (const rule of policy.mitigate) {
    for (const list of isByTables ? [] : listsIn(rule.match)) maps.add(list);
    if (rule.action.kind === "limit") maps.add(limitMap(rule.name));
    if (maps.size <= limit) continue;
    const hint = "join lists that are always used together, or limits that may share one allowance";
    diagnostics.report("TG4002", rule.span, { rule: rule.name, limit }, { hint });
    return;
  }
}

/** A firewall of which nothing is allowed before the namespace leaves XDP nothing to send; so do routes that only the kernel can take. */
function checkForwarding(policy: Policy, diagnostics: Diagnostics): void {
  if (diagnostics.hasErrors || !forwardsInXdp(policy)) return;
  if (!hasFastWay(policy)) {
    const reason =
      "of the routes each shares its prefix, or leads into a tunnel that only the namespace can take";
    const hint =
      "route a prefix into one tunnel alone, a `gre` over IPv4 without `dscp`, `df` or a `ttl` to inherit, or leave `datapath` out";
    diagnostics.report("TG4010", policy.span, { reason }, { hint });
  } else checkAllowance(policy, diagnostics);
}

function checkAllowance(policy: Policy, diagnostics: Diagnostics): void {
  const earlyRules = earlyRoom(policy);
  const firewall = { ...policy.firewall, ...(earlyRules !== undefined && { earlyRules }) };
  if (sendsSome({ ...policy, firewall })) return;
  const reason =
    earlyRules === undefined
      ? "the firewall allows nothing that XDP can tell"
      : "XDP has no room for a rule of the firewall that allows";
  const hint = "allow packets before a rule that matches all, or leave `datapath` out";
  diagnostics.report("TG4010", policy.span, { reason }, { hint });
}

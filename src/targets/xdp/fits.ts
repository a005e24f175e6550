import type { Policy } from "../../compiler/ir/policy.js";
import { earlyCost, instructions, MAX_INSTRUCTIONS, mostMaps, programCost } from "./cost.js";
import { asked } from "./early.js";
import { forwardingCost } from "./forward.js";
import { limitMap, listsIn } from "./maps.js";

/** Whether the conditions fit into one program, one after the other. */
export function fits(policy: Policy): boolean {
  const limits = policy.mitigate.filter(({ action }) => action.kind === "limit");
  const lists = asked(policy).flatMap(({ match }) => listsIn(match));
  const maps = new Set([...lists, ...limits.map(({ name }) => limitMap(name))]);
  return maps.size <= mostMaps(policy) && size(policy) <= MAX_INSTRUCTIONS;
}

function size(policy: Policy): number {
  const { mitigate } = policy;
  const early = earlyCost(asked(policy).slice(mitigate.length));
  const besides = programCost(asked(policy)) + early + forwardingCost(policy);
  return mitigate.reduce((sum, rule) => sum + instructions(rule), besides);
}

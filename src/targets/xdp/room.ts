import type { Policy } from "../../compiler/ir/policy.js";
import { earlyCost, instructions, MAX_INSTRUCTIONS, MAX_MAPS, programCost } from "./cost.js";
import { asked } from "./early.js";
import { limitMap, listsIn } from "./maps.js";

/**
 * How many of the firewall's rules, from the first on, the program has room for behind `mitigate`; undefined: for all. A
 * firewall too large for XDP is no mistake: the namespace judges what the early step does not.
 */
export function earlyRoom(policy: Policy): number | undefined {
  const { firewall } = policy;
  const hasRoomFor = (rules: number) => fits({ ...policy, firewall: { ...firewall, earlyRules: rules } });
  if (firewall.offload === "off" || hasRoomFor(firewall.rules.length)) return undefined;
  let [most, tooMany] = [0, firewall.rules.length];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (hasRoomFor(middle)) most = middle;
    else tooMany = middle;
  }
  return most;
}

function fits(policy: Policy): boolean {
  const limits = policy.mitigate.filter(({ action }) => action.kind === "limit");
  const lists = asked(policy).flatMap(({ match }) => listsIn(match));
  const maps = new Set([...lists, ...limits.map(({ name }) => limitMap(name))]);
  return maps.size <= MAX_MAPS && size(policy) <= MAX_INSTRUCTIONS;
}

function size(policy: Policy): number {
  const { mitigate } = policy;
  const early = earlyCost(asked(policy).slice(mitigate.length));
  return mitigate.reduce((sum, rule) => sum + instructions(rule), programCost(asked(policy)) + early);
}

import type { Policy } from "../../compiler/ir/policy.js";
import { planOf } from "./classifier/plan.js";
import { fits } from "./fits.js";

/**
 * How many of the firewall's rules, from the first on, the program has room for behind `mitigate`; undefined: for all. A
 * firewall too large for XDP is no mistake: the namespace judges what the early step does not.
 */
export function earlyRoom(policy: Policy): number | undefined {
  const { firewall } = policy;
  const hasRoomFor = (rules: number) => fits({ ...policy, firewall: { ...firewall, earlyRules: rules } });
  if (firewall.offload === "off" || hasRoomFor(firewall.rules.length) || planOf(policy)) return undefined;
  let [most, tooMany] = [0, firewall.rules.length];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (hasRoomFor(middle)) most = middle;
    else tooMany = middle;
  }
  return most;
}

import type { Family, Network } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { flushTable, replaceRoute, tableRoutes } from "../netlink/route.js";
import { addRule, deleteRule, type RoutingRule, rules } from "../netlink/rule.js";
import { EVERYTHING } from "../prefix.js";
import type { Part } from "../steps.js";
import { MARK, MARK_MASK, ROUTING_TABLE, RULE_PRIORITY } from "./constants.js";

const RULE: RoutingRule = {
  priority: RULE_PRIORITY,
  mark: { value: MARK, mask: MARK_MASK },
  to: ROUTING_TABLE,
};

/** Behind every other route to the same prefix, should a customer own all of the Internet. */
const LAST_METRIC = 65535;

/**
 * Tidegate's own routing table, and the rule that leads marked packets there. It ends in a blackhole: a marked
 * packet never falls through to the main table, and the main table never sees a route of ours.
 */
export function policyRouting(network: Network, family: Family): Part {
  const hasRule = async () =>
    (await rules(network, family)).some(
      ({ priority, table }) => priority === RULE_PRIORITY && table === ROUTING_TABLE,
    );
  const end = { to: EVERYTHING[family], table: ROUTING_TABLE, metric: LAST_METRIC, by: "blackhole" } as const;
  return {
    name: `IPv${family} policy routing`,
    present: async () => {
      const ends = await tableRoutes(network, family, ROUTING_TABLE, { type: "blackhole" });
      return (await hasRule()) && ends.some(({ length }) => length === 0);
    },
    up: async () => {
      const rule = (await hasRule()) ? [] : [addRule(family, RULE)];
      await perform(network, [replaceRoute(end), ...rule]);
    },
    down: async () => {
      if (await hasRule()) await perform(network, [deleteRule(family, RULE)]);
      await flushTable(network, family, ROUTING_TABLE);
    },
    staysUp: true,
  };
}

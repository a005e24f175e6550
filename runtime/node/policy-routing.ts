import { type Family, ipBatch, ipJson } from "../ip.js";
import type { Part } from "../steps.js";
import { hex, MARK, MARK_MASK, ROUTING_TABLE, RULE_PRIORITY } from "./constants.js";

const RULE = `priority ${RULE_PRIORITY} fwmark ${hex(MARK)}/${hex(MARK_MASK)} lookup ${ROUTING_TABLE}`;

/** Behind every other route to the same prefix, should a customer own all of the Internet. */
const LAST_METRIC = 65535;

/**
 * Tidegate's own routing table, and the rule that leads marked packets there. It ends in a blackhole: a marked
 * packet never falls through to the main table, and the main table never sees a route of ours.
 */
export function policyRouting(family: Family): Part {
  const rulePresent = async () =>
    (await ipJson<{ table: string }>([`-${family}`, "rule", "show", "priority", `${RULE_PRIORITY}`])).some(
      ({ table }) => Number(table) === ROUTING_TABLE,
    );
  return {
    name: `IPv${family} policy routing`,
    present: async () => {
      const routes = await tableRoutes(family);
      return (
        (await rulePresent()) && routes.some(({ type, dst }) => type === "blackhole" && dst === "default")
      );
    },
    up: () =>
      ipBatch(
        [`route replace blackhole default metric ${LAST_METRIC} table ${ROUTING_TABLE}`, `rule add ${RULE}`],
        { family },
      ),
    down: async () => {
      if (await rulePresent()) await ipBatch([`rule del ${RULE}`], { family });
      if ((await tableRoutes(family)).length > 0)
        await ipBatch([`route flush table ${ROUTING_TABLE}`], { family });
    },
  };
}

/** A route as `ip -j route show` prints it. */
export interface KernelRoute {
  readonly type?: string;
  readonly dst: string;
  readonly dev?: string;
}

/** All routes of a table; none if there is no such table, which ip(8) takes for an error. */
export async function tableRoutes(
  family: Family,
  table: number = ROUTING_TABLE,
  namespace?: string,
): Promise<readonly KernelRoute[]> {
  const all = await ipJson<KernelRoute & { table?: string }>(
    [`-${family}`, "-d", "route", "show", "table", "all"],
    { namespace },
  );
  return all.filter((route) => Number(route.table) === table);
}

import { type Bundle, bundleText } from "../bundle.js";
import { batchLines, type Family, ipBatch, ipJson } from "../ip.js";
import { EDGE } from "../node/constants.js";
import { tableRoutes } from "../node/policy-routing.js";

const FAMILIES: readonly Family[] = [4, 6];

/** Generations take turns: one table is in force while the other is filled. */
const TABLES = [1000, 1001] as const;

/** The routing table of a generation, in the customer's namespace. Its number is also its rule's priority. */
export function tableOf(generation: number): number {
  return generation % 2 === 0 ? TABLES[0] : TABLES[1];
}

/** Fills a generation's table, which no rule leads to yet, from nothing. */
export async function fillTable(bundle: Bundle, generation: number): Promise<void> {
  const { customer, namespace } = bundle.manifest;
  const table = tableOf(generation);
  await emptyTable(namespace, table);
  const text = await bundleText(bundle, `route/${customer}.ip`);
  await ipBatch(batchLines(text.replaceAll("$table", `${table}`)), { namespace });
}

export async function emptyTable(namespace: string, table: number): Promise<void> {
  for (const family of FAMILIES) {
    if ((await tableRoutes(family, table, namespace)).length > 0)
      await ipBatch([`route flush table ${table}`], { namespace, family });
  }
}

/**
 * Routes what comes in by the link by this generation's table, or by none. Rules are tried by priority, so
 * each family changes over in one step: when the rule that comes first is added, or taken away.
 */
export async function useTable(namespace: string, generation: number | null): Promise<void> {
  const wanted = generation === null ? null : tableOf(generation);
  for (const family of FAMILIES) {
    const rules = await ipJson<{ priority: number }>([`-${family}`, "rule", "show"], { namespace });
    const present = new Set(rules.map(({ priority }) => priority));
    const add = wanted !== null && !present.has(wanted) ? [`rule add ${ruleOf(wanted)}`] : [];
    const others = TABLES.filter((table) => table !== wanted && present.has(table));
    const lines = [...add, ...others.map((table) => `rule del ${ruleOf(table)}`)];
    if (lines.length > 0) await ipBatch(lines, { namespace, family });
  }
}

/** Is this generation's table filled and in force? */
export async function tableInForce(namespace: string, generation: number): Promise<boolean> {
  const table = tableOf(generation);
  for (const family of FAMILIES) {
    const rules = await ipJson<{ table?: string }>([`-${family}`, "rule", "show"], { namespace });
    if (!rules.some((rule) => Number(rule.table) === table)) return false;
    if ((await tableRoutes(family, table, namespace)).length === 0) return false;
  }
  return true;
}

function ruleOf(table: number): string {
  return `priority ${table} iif ${EDGE} lookup ${table}`;
}

import { type Bundle, bundleText } from "../bundle.js";
import { batchLines, type Family, ipBatch, ipJson } from "../ip.js";
import { EDGE, turnOf } from "../node/constants.js";
import { tableRoutes } from "../node/policy-routing.js";
import { deleteNexthops, nexthopsInForce } from "./nexthops.js";

const FAMILIES: readonly Family[] = [4, 6];

/** Generations take turns: one table is in force while the other is filled. */
const TABLES = [1000, 1001] as const;

/** The routing table of a generation, in the customer's namespace. Its number is also its rule's priority. */
export function tableOf(generation: number): number {
  return TABLES[turnOf(generation)];
}

/** The mark, in the customer's namespace, of packets that are routed by this generation's table. */
export function routeMark(generation: number): number {
  return 1 + turnOf(generation);
}

/** Fills a generation's table, to which no packet comes yet, from nothing. */
export async function fillTable(bundle: Bundle, generation: number): Promise<void> {
  const { customer, namespace } = bundle.manifest;
  const table = tableOf(generation);
  await emptyTable(namespace, table);
  for (const family of FAMILIES) {
    const nexthops = await tableLines(bundle, table, nexthopFile(customer, family));
    if (nexthops.length > 0) await ipBatch(nexthops, { namespace, family });
  }
  await ipBatch(await tableLines(bundle, table, tableFile(customer)), { namespace });
  const lead = async (family: Family) => {
    if (!(await rules(namespace, family)).some((rule) => leadsTo(rule, generation)))
      await ipBatch([`rule add ${ruleOf(generation)}`], { namespace, family });
  };
  await Promise.all(FAMILIES.map(lead));
}

export async function emptyTable(namespace: string, table: number): Promise<void> {
  const flush = async (family: Family) => {
    if ((await tableRoutes(family, table, namespace)).length > 0)
      await ipBatch([`route flush table ${table}`], { namespace, family });
  };
  // With a nexthop its routes go: ip(8) cannot flush those, as it sends them back as they are shown (EINVAL).
  await deleteNexthops(namespace, table);
  await Promise.all(FAMILIES.map(flush));
}

/**
 * Is this generation's table filled, and do its packets come there? `bundle` has its files; without one (it is damaged,
 * which is drift of its own) what they would say is not known, and not asked for.
 */
export async function tableInForce(
  namespace: string,
  generation: number,
  bundle: Bundle | undefined,
): Promise<boolean> {
  for (const family of FAMILIES) {
    if (!(await rules(namespace, family)).some((rule) => leadsTo(rule, generation))) return false;
    if ((await tableRoutes(family, tableOf(generation), namespace)).length === 0) return false;
  }
  if (!bundle) return true;
  const { customer } = bundle.manifest;
  const files = [...FAMILIES.map((family) => nexthopFile(customer, family)), tableFile(customer)];
  const lines = await Promise.all(files.map((file) => tableLines(bundle, tableOf(generation), file)));
  return nexthopsInForce(namespace, lines.flat());
}

const tableFile = (customer: string) => `route/${customer}.ip`;
const nexthopFile = (customer: string, family: Family) => `route/${customer}.nexthops${family}.ip`;

/** The lines of a bundle's file for a table; none where the bundle has no such file. */
async function tableLines(bundle: Bundle, table: number, file: string): Promise<readonly string[]> {
  if (bundle.manifest.files[file] === undefined) return [];
  return batchLines((await bundleText(bundle, file)).replaceAll("$table", `${table}`));
}

interface RoutingRule {
  readonly priority: number;
  readonly table?: string;
  readonly fwmark?: string;
}

function rules(namespace: string, family: Family): Promise<readonly RoutingRule[]> {
  return ipJson<RoutingRule>([`-${family}`, "rule", "show"], { namespace });
}

function leadsTo({ table, fwmark }: RoutingRule, generation: number): boolean {
  return Number(table) === tableOf(generation) && Number(fwmark) === routeMark(generation);
}

function ruleOf(generation: number): string {
  const table = tableOf(generation);
  return `priority ${table} iif ${EDGE} fwmark ${routeMark(generation)} lookup ${table}`;
}

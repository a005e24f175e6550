import { type Bundle, bundleText } from "../bundle.js";
import { type LiveLines, liveLines, type TableLines } from "../health/live-lines.js";
import { deadDevices } from "../health/lives.js";
import { isSettled } from "../health/settling.js";
import type { Host } from "../host.js";
import { readLines } from "../netlink/lines.js";
import { type Family, inside, type Network } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { flushTable, tableRoutes } from "../netlink/route.js";
import { addRule, type KernelRule, type RoutingRule, rules } from "../netlink/rule.js";
import { EDGE, turnOf } from "../node/constants.js";
import { deleteNexthops, nexthopsInForce } from "./nexthops.js";
import { routesInForce } from "./routes-in-force.js";

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

/** Fills a generation's table, to which no packet comes yet, from nothing. Dead tunnels stay left out. */
export async function fillTable(host: Host, bundle: Bundle, generation: number): Promise<void> {
  const { customer, namespace } = bundle.manifest;
  const network = inside(host, namespace);
  const table = tableOf(generation);
  await emptyTable(host, namespace, table);
  const nexthops = FAMILIES.map(async (family) =>
    readLines(await tableText(bundle, table, nexthopFile(customer, family)), family),
  );
  const lines = await tableLines(bundle, table);
  const live = await linesNow(host, bundle, lines);
  await perform(network, [
    ...(await Promise.all(nexthops)).flat(),
    ...readLines(live.table.join("\n")),
    ...(await missingRules(network, generation)),
  ]);
}

export async function emptyTable(host: Host, namespace: string, table: number): Promise<void> {
  const network = inside(host, namespace);
  // With a nexthop its routes go: the kernel does not take those back as it shows them (EINVAL).
  await deleteNexthops(network, table);
  await Promise.all(FAMILIES.map((family) => flushTable(network, family, table)));
}

/**
 * Is this generation's table filled, and do its packets come there? `bundle` has its files; without one (it is damaged,
 * which is drift of its own) what they would say is not known, and not asked for.
 */
export async function tableInForce(
  host: Host,
  namespace: string,
  generation: number,
  bundle: Bundle | undefined,
): Promise<boolean> {
  const network = inside(host, namespace);
  if ((await missingRules(network, generation)).length > 0) return false;
  const tables = FAMILIES.map((family) => tableRoutes(network, family, tableOf(generation)));
  if ((await Promise.all(tables)).some((routes) => routes.length === 0)) return false;
  if (!bundle) return true;
  const lines = await tableLines(bundle, tableOf(generation));
  return isSettled(bundle.manifest, async () => {
    const live = await linesNow(host, bundle, lines);
    return (
      (await nexthopsInForce(network, [...lines.nexthops, ...live.table])) &&
      (await routesInForce(network, tableOf(generation), live))
    );
  });
}

/** What of them holds, by what is known of the customer's routers. */
async function linesNow({ paths }: Host, { manifest }: Bundle, lines: TableLines): Promise<LiveLines> {
  return liveLines(lines, await deadDevices(paths, manifest), manifest.noLiveTunnel);
}

const tableFile = (customer: string) => `route/${customer}.ip`;
const nexthopFile = (customer: string, family: Family) => `route/${customer}.nexthops${family}.ip`;

/** A bundle's file for a table; empty where the bundle has no such file. */
async function tableText(bundle: Bundle, table: number, file: string): Promise<string> {
  if (bundle.manifest.files[file] === undefined) return "";
  return (await bundleText(bundle, file)).replaceAll("$table", `${table}`);
}

/** All that makes the nexthops, groups and routes of a generation, with the number of its table. */
export async function tableLines(bundle: Bundle, table: number): Promise<TableLines> {
  const { customer } = bundle.manifest;
  const linesOf = async (file: string) => {
    const text = await tableText(bundle, table, file);
    return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  };
  const nexthops = await Promise.all(FAMILIES.map((family) => linesOf(nexthopFile(customer, family))));
  return { nexthops: nexthops.flat(), table: await linesOf(tableFile(customer)) };
}

async function missingRules(network: Network, generation: number) {
  const missing = FAMILIES.map(async (family: Family) => {
    const found = (await rules(network, family)).some((rule) => leadsTo(rule, generation));
    return found ? [] : [addRule(family, ruleOf(generation))];
  });
  return (await Promise.all(missing)).flat();
}

function leadsTo({ table, mark }: KernelRule, generation: number): boolean {
  return table === tableOf(generation) && mark === routeMark(generation);
}

function ruleOf(generation: number): RoutingRule {
  const table = tableOf(generation);
  return { priority: table, inDevice: EDGE, mark: { value: routeMark(generation) }, to: table };
}

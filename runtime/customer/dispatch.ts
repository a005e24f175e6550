import { existsSync } from "node:fs";
import type { Manifest } from "../../src/targets/manifest.js";
import { type Host, tolerating } from "../host.js";
import { findLink } from "../netlink/link.js";
import type { Family } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { deleteRoute, leadsTo, replaceRoute, tableRoutes } from "../netlink/route.js";
import { LINK_ENDS, ROUTING_TABLE } from "../node/constants.js";
import { rootMap } from "../node/root-program.js";
import { lpmKey, type Prefix, parsePrefixes } from "../prefix.js";

const FAMILIES: readonly Family[] = [4, 6];

export function prefixesOf(manifest: Pick<Manifest, "prefixes">): readonly Prefix[] {
  return parsePrefixes(manifest.prefixes);
}

/** Sends packets to these prefixes to the customer's program in XDP, and on to its namespace when marked. */
export async function addDispatch(
  host: Host,
  { link }: Pick<Manifest, "link">,
  slot: number,
  prefixes: readonly Prefix[],
): Promise<void> {
  const { loader, paths } = host;
  const value = Buffer.alloc(4);
  value.writeUInt32LE(slot);
  const add = async (family: Family) => {
    const own = prefixes.filter((prefix) => prefix.family === family);
    if (own.length === 0) return;
    const entries = own.map((prefix) => ({ key: lpmKey(prefix), value }));
    await loader.updateMap(rootMap(paths, `customers_${family}`), entries);
    const by = { device: link, via: LINK_ENDS.customer[family] };
    await perform(
      host,
      own.map((to) => replaceRoute({ to, table: ROUTING_TABLE, by })),
    );
  };
  await Promise.all(FAMILIES.map(add));
}

/** The opposite: routes first, so that a packet that XDP has passed already finds the blackhole. */
export async function removeDispatch(host: Host, prefixes: readonly Prefix[]): Promise<void> {
  const { loader, paths } = host;
  for (const family of FAMILIES) {
    const own = prefixes.filter((prefix) => prefix.family === family);
    if (own.length === 0) continue;
    const routes = (await tableRoutes(host, family, ROUTING_TABLE)).filter(({ isBlackhole }) => !isBlackhole);
    const routed = own.filter((prefix) => routes.some((route) => leadsTo(route, prefix)));
    await perform(
      host,
      routed.map((prefix) => deleteRoute(prefix, ROUTING_TABLE)),
    );
    const map = rootMap(paths, `customers_${family}`);
    if (existsSync(map)) await tolerating(["ENOENT"], loader.deleteFromMap(map, own.map(lpmKey)));
  }
}

/** What of a customer's prefixes is not dispatched to its slot, or not routed to its link. */
export async function missingDispatch(
  host: Host,
  manifest: Manifest,
  slot: number,
): Promise<readonly string[]> {
  const missing: string[] = [];
  const device = (await findLink(host, manifest.link))?.index;
  for (const family of FAMILIES) {
    const own = prefixesOf(manifest).filter((prefix) => prefix.family === family);
    if (own.length === 0) continue;
    const map = rootMap(host.paths, `customers_${family}`);
    const slots = existsSync(map) ? await host.loader.lookupMap(map, own.map(lpmKey)) : [];
    const routes = device === undefined ? [] : await tableRoutes(host, family, ROUTING_TABLE, { device });
    for (const [index, prefix] of own.entries()) {
      if (slots[index]?.[0]?.readUInt32LE() !== slot) missing.push(`dispatch of ${prefix.text}`);
      if (!routes.some((route) => leadsTo(route, prefix))) missing.push(`route of ${prefix.text}`);
    }
  }
  return missing;
}

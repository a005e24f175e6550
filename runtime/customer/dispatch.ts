import { existsSync } from "node:fs";
import type { Manifest } from "../../src/targets/manifest.js";
import { type Host, tolerating } from "../host.js";
import { type Family, ipBatch } from "../ip.js";
import { LINK_ENDS, ROUTING_TABLE } from "../node/constants.js";
import { tableRoutes } from "../node/policy-routing.js";
import { rootMap } from "../node/root-program.js";
import { lpmKey, type Prefix, parsePrefixes } from "../prefix.js";

const FAMILIES: readonly Family[] = [4, 6];

export function prefixesOf(manifest: Pick<Manifest, "prefixes">): readonly Prefix[] {
  return parsePrefixes(manifest.prefixes);
}

/** Sends packets to these prefixes to the customer's program in XDP, and on to its namespace when marked. */
export async function addDispatch(
  { loader, paths }: Host,
  { link }: Pick<Manifest, "link">,
  slot: number,
  prefixes: readonly Prefix[],
): Promise<void> {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(slot);
  const add = async (family: Family) => {
    const own = prefixes.filter((prefix) => prefix.family === family);
    if (own.length === 0) return;
    const entries = own.map((prefix) => ({ key: lpmKey(prefix), value }));
    await loader.updateMap(rootMap(paths, `customers_${family}`), entries);
    const via = `via ${LINK_ENDS.customer[family]} dev ${link} onlink table ${ROUTING_TABLE}`;
    await ipBatch(
      own.map(({ text }) => `route replace ${text} ${via}`),
      { family },
    );
  };
  await Promise.all(FAMILIES.map(add));
}

/** The opposite: routes first, so that a packet that XDP has passed already finds the blackhole. */
export async function removeDispatch({ loader, paths }: Host, prefixes: readonly Prefix[]): Promise<void> {
  for (const family of FAMILIES) {
    const own = prefixes.filter((prefix) => prefix.family === family);
    if (own.length === 0) continue;
    const routed = new Set((await tableRoutes(family)).map(({ dst }) => fullPrefix(dst, family)));
    const lines = own
      .filter(({ text }) => routed.has(text))
      .map(({ text }) => `route del ${text} table ${ROUTING_TABLE}`);
    if (lines.length > 0) await ipBatch(lines, { family });
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
  for (const family of FAMILIES) {
    const own = prefixesOf(manifest).filter((prefix) => prefix.family === family);
    if (own.length === 0) continue;
    const map = rootMap(host.paths, `customers_${family}`);
    const slots = existsSync(map) ? await host.loader.lookupMap(map, own.map(lpmKey)) : [];
    const routes = await tableRoutes(family);
    for (const [index, prefix] of own.entries()) {
      if (slots[index]?.[0]?.readUInt32LE() !== slot) missing.push(`dispatch of ${prefix.text}`);
      if (!routes.some(({ dst, dev }) => dev === manifest.link && fullPrefix(dst, family) === prefix.text))
        missing.push(`route of ${prefix.text}`);
    }
  }
  return missing;
}

/** ip(8) prints a host's route without its length, and that of everything as `default`. */
function fullPrefix(dst: string, family: Family): string {
  if (dst === "default") return family === 4 ? "0.0.0.0/0" : "::/0";
  return dst.includes("/") ? dst : `${dst}/${family === 4 ? 32 : 128}`;
}

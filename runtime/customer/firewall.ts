import { existsSync } from "node:fs";
import { type Bundle, bundleText } from "../bundle.js";
import { namespaceFile } from "../command.js";
import type { Counter } from "../counters.js";
import type { Host } from "../host.js";
import { NFT_TABLE } from "../node/constants.js";

/** Asks nft and the kernel whether the ruleset would load; changes nothing. */
export async function checkFirewall({ loader }: Host, bundle: Bundle): Promise<void> {
  await loader.nft({ ...(await request(bundle)), check: true });
}

/** Replaces the firewall as a whole, in one transaction. */
export async function loadFirewall({ loader }: Host, bundle: Bundle): Promise<void> {
  await loader.nft(await request(bundle));
}

export async function unloadFirewall({ loader }: Host, namespace: string): Promise<void> {
  const text = `table ${NFT_TABLE}\ndelete table ${NFT_TABLE}\n`;
  await loader.nft({ namespace: namespaceFile(namespace), text });
}

export async function firewallPresent({ loader }: Pick<Host, "loader">, namespace: string): Promise<boolean> {
  if (!existsSync(namespaceFile(namespace))) return false;
  const tables = await loader.nft({ namespace: namespaceFile(namespace), text: "list tables" });
  return tables.split("\n").includes(`table ${NFT_TABLE}`);
}

/** All counters of the customer's table, by their nft names. */
export async function firewallCounters(
  { loader }: Pick<Host, "loader">,
  namespace: string,
): Promise<Readonly<Record<string, Counter>>> {
  if (!(await firewallPresent({ loader }, namespace))) return {};
  const text = `list counters table ${NFT_TABLE}`;
  const json = await loader.nft({ namespace: namespaceFile(namespace), text, json: true });
  const { nftables } = JSON.parse(json) as { nftables: readonly { counter?: Counter & { name: string } }[] };
  return Object.fromEntries(
    nftables.flatMap(({ counter }) =>
      counter ? [[counter.name, { packets: counter.packets, bytes: counter.bytes }]] : [],
    ),
  );
}

async function request(bundle: Bundle): Promise<{ readonly namespace: string; readonly text: string }> {
  const { customer, namespace } = bundle.manifest;
  return { namespace: namespaceFile(namespace), text: await bundleText(bundle, `nft/${customer}.nft`) };
}

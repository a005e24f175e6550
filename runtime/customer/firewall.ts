import { existsSync } from "node:fs";
import type { Manifest } from "../../src/targets/manifest.js";
import { type Bundle, bundleText } from "../bundle.js";
import { namespaceFile } from "../command.js";
import type { Counter } from "../counters.js";
import type { Host } from "../host.js";
import { NFT_TABLE, stampOf } from "../node/constants.js";
import { type Judge, transition } from "./generations.js";
import { routeMark } from "./routes.js";
import { ENTRY, entryName, readRuleset } from "./ruleset.js";

/** One of the generations whose packets a customer's table judges. */
export interface Generation {
  readonly bundle: Bundle;
  readonly generation: number;
}

/**
 * Makes the firewalls of these generations, and nothing else, stand in the customer's table, in one transaction; the last
 * one judges the way back. `anew`: also what seems to be there already, should somebody have changed it.
 */
export async function judgeBy(
  { loader }: Host,
  generations: readonly [...Generation[], Generation],
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<void> {
  const { namespace: name } = generations[0].bundle.manifest;
  const namespace = namespaceFile(name);
  const judges = await Promise.all(generations.map(judge));
  const present = anew ? new Set<string>() : new Set(await tableContents({ loader }, name));
  const remake = anew ? `table ${NFT_TABLE}\ndelete table ${NFT_TABLE}\n` : "";
  await loader.nft({ namespace, text: remake + transition(present, judges) });
}

async function judge({ bundle, generation }: Generation): Promise<Judge> {
  const file = `nft/${bundle.manifest.customer}.nft`;
  const ruleset = readRuleset(await bundleText(bundle, file), bundle.manifest.files[file] ?? "");
  return { stamp: stampOf(generation), mark: routeMark(generation), ruleset };
}

/** Does the table hold the firewall of this bundle, and no other? */
export async function firewallInForce(
  host: Pick<Host, "loader">,
  { customer, namespace, files }: Manifest,
): Promise<boolean> {
  const entries = (await tableContents(host, namespace)).filter((one) => one.startsWith(`chain ${ENTRY}.`));
  return entries.length === 1 && entries[0] === `chain ${entryName(files[`nft/${customer}.nft`] ?? "")}`;
}

/** What the table holds, as `kind name`; nothing, if there is none. */
async function tableContents(
  { loader }: Pick<Host, "loader">,
  namespace: string,
): Promise<readonly string[]> {
  if (!existsSync(namespaceFile(namespace))) return [];
  const text = ["chains", "sets", "counters"].map((what) => `list ${what} inet\n`).join("");
  const listing = await loader.nft({ namespace: namespaceFile(namespace), text, terse: true });
  return [...new Set(listing.match(/^\t(?:chain|set|counter) \S+/gm))].map((line) => line.slice(1));
}

export async function unloadFirewall({ loader }: Host, namespace: string): Promise<void> {
  const text = `table ${NFT_TABLE}\ndelete table ${NFT_TABLE}\n`;
  await loader.nft({ namespace: namespaceFile(namespace), text });
}

async function firewallPresent({ loader }: Pick<Host, "loader">, namespace: string): Promise<boolean> {
  if (!existsSync(namespaceFile(namespace))) return false;
  const tables = await loader.nft({ namespace: namespaceFile(namespace), text: "list tables" });
  return tables.split("\n").includes(`table ${NFT_TABLE}`);
}

/** All counters of the customer's table, by their nft names. */
export async function firewallCounters(
  { loader }: Pick<Host, "loader">,
  namespace: string,
): Promise<Readonly<Record<string, Counter>>> {
  if (!existsSync(namespaceFile(namespace))) return {};
  const text = `list counters table ${NFT_TABLE}`;
  const listed = loader.nft({ namespace: namespaceFile(namespace), text, json: true });
  const json = await listed.catch(async (error: unknown) => {
    if (await firewallPresent({ loader }, namespace)) throw error;
    return '{ "nftables": [] }';
  });
  const { nftables } = JSON.parse(json) as { nftables: readonly { counter?: Counter & { name: string } }[] };
  return Object.fromEntries(
    nftables.flatMap(({ counter }) =>
      counter ? [[counter.name, { packets: counter.packets, bytes: counter.bytes }]] : [],
    ),
  );
}

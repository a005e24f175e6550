import { existsSync } from "node:fs";
import type { Manifest } from "../../src/targets/manifest.js";
import { type Bundle, bundleText } from "../bundle.js";
import { namespaceFile } from "../command.js";
import type { Counter } from "../counters.js";
import type { Host } from "../host.js";
import { NFT_TABLE, stampOf } from "../node/constants.js";
import { holdsAddresses } from "../node/marked.js";
import { chains, contents, countRules, type Judge, transition } from "./generations.js";
import { routeMark } from "./routes.js";
import { ENTRY, entryName, type Ruleset, readRuleset } from "./ruleset.js";

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

/**
 * Does the table hold the firewall of this bundle, and no other: its chains with as many rules, its sets and their addresses?
 * `bundle` has its text; without one (it is damaged, which is drift of its own) its first chain tells.
 */
export async function firewallInForce(
  host: Pick<Host, "loader">,
  { customer, namespace, files }: Manifest,
  generation: number,
  bundle: Bundle | undefined,
): Promise<boolean> {
  const present = await tableContents(host, namespace);
  const entries = present.filter((one) => one.startsWith(`chain ${ENTRY}.`));
  if (entries.length !== 1 || entries[0] !== `chain ${entryName(files[`nft/${customer}.nft`] ?? "")}`)
    return false;
  if (!bundle) return true;
  const own = await judge({ bundle, generation });
  if (!isSame(present, contents([own]))) return false;
  const text = `list table ${NFT_TABLE}`;
  const listing = await host.loader.nft({ namespace: namespaceFile(namespace), text, terse: true });
  const found = [...listing.matchAll(CHAIN)].map(
    ([, name, body = ""]) => `${name} ${countRules(body.split("\n"))}`,
  );
  const wanted = [...chains([own])].map(([name, rules]) => `${name} ${rules}`);
  return isSame(found, wanted) && holdsLists(host, namespace, own.ruleset);
}

/** A chain of a table, as nft(8) lists it. */
const CHAIN = /^\tchain (\S+) \{\n(.*?)^\t\}$/gms;

function isSame(one: readonly string[], other: readonly string[]): boolean {
  const texts = new Set(other);
  return one.length === other.length && one.every((text) => texts.has(text));
}

/** The sets that packets add nothing to. */
async function holdsLists(
  host: Pick<Host, "loader">,
  namespace: string,
  { declarations }: Ruleset,
): Promise<boolean> {
  for (const { kind, name, lines } of declarations) {
    const text = lines.join(" ");
    if (kind !== "set" || !/^\s*type ipv[46]_addr\s+flags interval\b/.test(text)) continue;
    const [, elements = ""] = /elements = \{(.*)\}/.exec(text) ?? [];
    const addresses = elements.split(",").flatMap((element) => element.trim() || []);
    if (!(await holdsAddresses(host, namespaceFile(namespace), name, addresses))) return false;
  }
  return true;
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

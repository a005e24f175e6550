import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { type Bundle, requireWhole, wholeBundle } from "../bundle.js";
import { namespaceFile } from "../command.js";
import { greDriver } from "../gre/choose.js";
import type { Host } from "../host.js";
import { findLink } from "../netlink/link.js";
import { markingTable, markPrefixes } from "../node/marking.js";
import { endNodeChange, tearDownNode } from "../node/setup.js";
import { forgetIntent, forgetUnwritten, type Intent, readIntent, readIntents } from "../notes.js";
import {
  forgetCustomer,
  forgetNode,
  isRecordWhole,
  type LoadedCustomer,
  type NodeState,
  readCustomer,
  readNodeState,
  recordCustomer,
  recordOf,
} from "../state.js";
import { Steps, takeDown } from "../steps.js";
import { outerSource } from "./change.js";
import { addDispatch, prefixesOf, removeDispatch } from "./dispatch.js";
import { isEnding, settle } from "./ending.js";
import { judgeBy } from "./firewall.js";
import { customerParts, tunnelParts } from "./parts.js";
import { clearPlace, stampBy, unloadProgram, unloadPrograms } from "./program.js";
import { removeWhole } from "./removal.js";
import { generationBundle, retireOthers } from "./retire.js";
import { emptyTable, fillTable, tableInForce, tableOf } from "./routes.js";
import { lostIpv6, sameTunnel } from "./tunnels.js";

/** What a customer's last change was when its run ended in the middle. */
export interface Unfinished {
  readonly customer: string;
  /** As drift says it. */
  readonly name: string;
}

/** Changes that were begun and whose end nobody has noted, nor will this process bring them there: of all customers, or of one. */
export async function unfinished(
  { paths }: Pick<Host, "paths">,
  customer?: string,
): Promise<readonly Unfinished[]> {
  const intents = await readIntents(paths, customer);
  const left = intents.filter((one) => !isEnding(paths.customer(one.customer), one.generation));
  return left.map(({ customer, generation, removal }) => ({
    customer,
    name: removal ? "end of the removal" : `end of the change to generation ${generation}`,
  }));
}

/**
 * Ends the changes of runs that were killed: one whose generation is on record is finished, any other undone, so that what
 * is in force is what the record says. Every step can be repeated, should this run end in the middle, too. What this process
 * will end by itself is left to it where `isLeft` says so of the customer. True: `node` and `loaded` may not be the truth any more.
 */
export async function recover(
  host: Host,
  node: NodeState | undefined,
  loaded: readonly LoadedCustomer[],
  isLeft: (customer: string) => boolean = () => true,
): Promise<boolean> {
  const intents = (await readIntents(host.paths)).filter(
    ({ customer, generation }) => !isLeft(customer) || !isEnding(host.paths.customer(customer), generation),
  );
  for (const intent of intents) {
    const { generation } = intent;
    const current = loaded.find(({ customer }) => customer === intent.customer);
    const others = loaded.filter((one) => one !== current);
    if (intent.removal) {
      if (node && current) await removeWhole({ host, node, loaded: current, others, onStep: () => {} });
      else await forgetRemoved(host, intent, others);
      continue;
    }
    if (node && current && current.generation >= generation)
      await finish(host, node, current, await wholeBundle(host.paths, current));
    else if (node) await undo({ host, node, intent, current, loaded });
    await mendRecord(host, current);
    await forgetIntent(host.paths, intent, current !== undefined);
  }
  await forgetUnwritten(host.paths);
  const isNodeUnended = node !== undefined && (loaded.length === 0 || node.change !== undefined);
  if (node && loaded.length === 0) await tearDownUnused(host, node);
  else if (node) await endNodeChange(host, node, generationOf(loaded, node.change?.customer));
  return intents.length > 0 || isNodeUnended;
}

/** Of its two copies one may say what was to be, and the other what is. */
async function mendRecord({ paths }: Host, current: LoadedCustomer | undefined): Promise<void> {
  if (!current || (await isRecordWhole(paths, current.customer))) return;
  // What ended the change has noted what was counted.
  const now = await readCustomer(paths, current.customer);
  await recordCustomer(paths, recordOf(now ?? current));
}

function generationOf(loaded: readonly LoadedCustomer[], name: string | undefined): number | undefined {
  return loaded.find(({ customer }) => customer === name)?.generation;
}

/** A node that was set up for a first customer who never came, or whose last one went. */
async function tearDownUnused(host: Host, node: NodeState): Promise<void> {
  await tearDownNode(host, node, () => {});
  await forgetNode(host.paths);
}

/**
 * Ends a change that is recorded; does nothing where somebody else has done so. Throws TG9011 where the bundle in force cannot be
 * read: then the note stays, and whoever takes the lock next tries again.
 */
export async function endChange(host: Host, customer: string, generation: number): Promise<void> {
  const intent = await readIntent(host.paths, customer);
  const current = await readCustomer(host.paths, customer);
  const node = await readNodeState(host.paths);
  if (intent?.generation !== generation || intent.removal || !node || current?.generation !== generation)
    return;
  await finish(host, node, current, await requireWhole(host.paths, current));
  await forgetIntent(host.paths, intent, true);
}

async function finish(
  host: Host,
  { config, gre }: NodeState,
  current: LoadedCustomer,
  bundle: Bundle | undefined,
): Promise<void> {
  await retireOthers({ host, node: config, gre: greDriver(host, gre), loaded: current, bundle });
}

/** Of a customer that has no record any more nothing is left but its folder. */
async function forgetRemoved(
  { paths }: Host,
  { customer }: Intent,
  others: readonly LoadedCustomer[],
): Promise<void> {
  await forgetCustomer(paths, customer);
  if (others.length === 0) await forgetNode(paths);
}

interface Undone {
  readonly host: Host;
  readonly node: NodeState;
  readonly intent: Intent;
  readonly current: LoadedCustomer | undefined;
  readonly loaded: readonly LoadedCustomer[];
}

async function undo(undone: Undone): Promise<void> {
  const { host, intent, current } = undone;
  const { customer, generation, slot } = intent;
  const begun = await generationBundle(host.paths, customer, generation);
  await stampBy(host, slot, current?.generation ?? null);
  // Without its bundle nothing of the generation has been made.
  if (begun) {
    await undoPrefixes(undone, begun);
    await settle();
    await undoParts(undone, begun);
  }
  await clearPlace(host, intent);
  await (current ? unloadProgram(host, intent) : unloadPrograms(host, customer));
  await rm(host.paths.bundle(customer, generation), { recursive: true, force: true });
}

async function undoPrefixes({ host, intent, current, loaded }: Undone, { manifest }: Bundle): Promise<void> {
  const kept = current ? prefixesOf(current.manifest) : [];
  const gone = prefixesOf(manifest).filter(({ text }) => !kept.some((prefix) => prefix.text === text));
  if (await markingTable(host).present())
    await markPrefixes(
      host,
      loaded.flatMap((one) => prefixesOf(one.manifest)),
    );
  await removeDispatch(host, gone);
  // Without its link that is drift, which others mend.
  if (current && (await findLink(host, current.manifest.link)))
    await addDispatch(host, current.manifest, intent.slot, kept);
}

/**
 * Tunnels of the bundle in force, on the node as it was, that a change had begun to alter where they stand. True: they may have
 * lost routes.
 */
async function alterBack(
  { host, node }: Undone,
  begun: Bundle,
  bundle: Bundle,
  before: NodeConfig,
): Promise<boolean> {
  let lost = false;
  for (const row of bundle.manifest.tunnels) {
    const altered = begun.manifest.tunnels.find(({ device }) => device === row.device);
    if (!altered) continue;
    const [now, then] = [outerSource(node.config, altered.remote), outerSource(before, row.remote)];
    if (now === undefined || then === undefined) continue;
    if (now !== then || !sameTunnel(row, altered))
      await greDriver(host, node.gre).alter(bundle, row, then, { row: altered, anycast: now });
    lost ||= lostIpv6(row, altered);
  }
  return lost;
}

/** Of a first bundle everything goes. Else what the generation in force lacks now is found as drift, and mended. */
async function undoParts(undone: Undone, begun: Bundle): Promise<void> {
  const { host, node, intent, current } = undone;
  const gre = greDriver(host, node.gre);
  const { namespace } = begun.manifest;
  const tunnels = tunnelParts(gre, begun, node.config);
  if (!current) {
    await takeDown([...customerParts(host, begun, node.config), ...tunnels.values()], () => {});
    return;
  }
  if (!existsSync(namespaceFile(namespace))) return;
  // What the generation in force was made for.
  const before = node.change?.from ?? node.config;
  const own = new Map(current.manifest.tunnels.map((row) => [row.device, row]));
  const stray = begun.manifest.tunnels.filter(({ device }) => !own.has(device));
  for (const { name } of stray) await tunnels.get(name)?.down();
  const bundle = await wholeBundle(host.paths, current);
  if (bundle) {
    const lost = await alterBack(undone, begun, bundle, before);
    // The routes to a device go with it; where all devices stand, nothing is touched that packets use.
    const steps = new Steps(() => {});
    const remade = await steps.ensure([...tunnelParts(gre, bundle, before).values()]);
    if (lost || remade || !(await tableInForce(host, namespace, current.generation, bundle)))
      await fillTable(host, bundle, current.generation);
    await judgeBy(host, [{ bundle, generation: current.generation }]);
  }
  await emptyTable(host, namespace, tableOf(intent.generation));
}

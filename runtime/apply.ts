import type { NodeConfig } from "../src/targets/manifest.js";
import { type Bundle, readBundle } from "./bundle.js";
import { type Change, type Previous, requireTunnels } from "./customer/change.js";
import { commit } from "./customer/commit.js";
import { freeSlot } from "./customer/program.js";
import { recover, type Unfinished, unfinished } from "./customer/recover.js";
import { recordOf, retireOthers } from "./customer/retire.js";
import { stage } from "./customer/stage.js";
import { customerDrift, nodeDrift } from "./drift.js";
import { causeOf, failure } from "./failures.js";
import { greDriver } from "./gre/choose.js";
import { type Host, reviveLoader, withHost } from "./host.js";
import { requireNode } from "./node/parts.js";
import { retireOldParts, setUpNode } from "./node/setup.js";
import { checkOwnership } from "./ownership.js";
import {
  type CustomerRecord,
  DEFAULT_STATE_DIR,
  forgetIntent,
  forgetRecord,
  holdsOf,
  type LoadedCustomer,
  type NodeState,
  readCustomers,
  readNodeState,
  recordCustomer,
  writeIntent,
} from "./state.js";
import { allOrNothing, type OnStep, type Steps } from "./steps.js";
import { refuseStrangers } from "./strangers.js";
import { refuseDowngrade } from "./trust/downgrade.js";
import { renewRelease } from "./trust/renew.js";
import { DEFAULT_MEMORY_DIR, Serials } from "./trust/serials.js";

export interface ApplyOptions {
  /** Folder of the bundle. */
  readonly bundle: string;
  readonly node: NodeConfig;
  readonly stateDir?: string;
  /** Where a node with keys remembers each customer's newest serial; outlives a reboot. */
  readonly memoryDir?: string;
  /** Takes a signed bundle that is older than the newest one, too. */
  readonly rollback?: boolean;
  /** Hears of each step as it begins. */
  readonly onStep?: OnStep;
}

export interface Applied {
  readonly customer: string;
  /** False: this bundle was in force already, and nothing was touched but what is remembered of its signature. */
  readonly changed: boolean;
  readonly generation: number;
  readonly hash: string;
  /** Names of the trusted keys that signed it; null: this node names no keys, and takes unsigned bundles. */
  readonly signedBy: readonly string[] | null;
  /** What was mended though the bundle is the same; empty for a new bundle. */
  readonly drift: readonly string[];
}

/**
 * Puts a bundle in force on this node: verifies, stages all that can fail, commits, records, removes the old.
 * Throws a RuntimeFailure; then everything is as it was before.
 */
export function apply(options: ApplyOptions): Promise<Applied> {
  const { stateDir = DEFAULT_STATE_DIR, onStep = () => {}, node } = options;
  return withHost({ stateDir, lock: true }, async (host) => {
    onStep("verify the bundle");
    const bundle = await readBundle(options.bundle, node.keys);
    const cut = (await unfinished(host)).filter(({ customer }) => customer === bundle.manifest.customer);
    await recover(host, await readNodeState(host.paths), await readCustomers(host.paths));
    const loaded = await readCustomers(host.paths);
    checkOwnership(
      bundle.manifest,
      node,
      loaded.map(({ manifest }) => manifest),
    );
    requireTunnels(bundle, node);
    await requireNode(node);
    const before = await readNodeState(host.paths);
    refuseDowngrade(before?.config, node);
    const serials = new Serials(options.memoryDir ?? DEFAULT_MEMORY_DIR);
    await serials.refuseUnsigned(bundle);
    if (!options.rollback) await serials.refuseReplay(bundle, loaded);
    await refuseStrangers(host, before, bundle.manifest);
    const current = loaded.find(({ customer }) => customer === bundle.manifest.customer);
    const drift = await driftOf(host, bundle, node, before, loaded, cut);
    if (current && drift?.length === 0) {
      await allOrNothing(onStep, (steps) => renewRelease(host.paths, current, bundle, serials, steps));
      return unchanged(bundle, current);
    }
    const request = { bundle, node, before, loaded, serials, drift: drift ?? [] };
    const done = await allOrNothing(
      onStep,
      (steps) => change(host, request, steps),
      () => reviveLoader(host),
    );
    await clearUp(request, done);
    const { generation, hash } = done.record;
    return { ...about(bundle), changed: true, generation, hash, drift: request.drift };
  });
}

interface Request {
  readonly bundle: Bundle;
  readonly node: NodeConfig;
  readonly before: NodeState | undefined;
  readonly loaded: readonly LoadedCustomer[];
  readonly serials: Serials;
  readonly drift: readonly string[];
}

interface Done {
  readonly change: Change;
  readonly node: NodeState;
  readonly record: CustomerRecord;
}

async function change(host: Host, request: Request, steps: Steps): Promise<Done> {
  const { node: config, loaded } = request;
  const { customer } = request.bundle.manifest;
  const previous = await previousOf(host, request);
  const node = await setUpNode(host, config, request.before, steps);
  const change: Change = {
    host,
    node: config,
    gre: greDriver(host, node.gre),
    bundle: request.bundle,
    ...placeOf(customer, loaded),
    previous,
    mend: request.drift.length > 0,
    others: loaded.filter((other) => other.customer !== customer),
  };
  await noteIntent(change, steps);
  const bundle = await stage(change, steps);
  const record: CustomerRecord = {
    customer,
    generation: change.generation,
    hash: bundle.hash,
    slot: change.slot,
    since: new Date().toISOString(),
    holds: holdsOf(bundle.manifest),
    ...(previous?.counted && { counted: previous.counted }),
  };
  await commit(change, bundle, record, steps);
  // Before the record: a run that is killed in between has refused too much, never too little.
  await request.serials.remember(bundle, steps);
  await steps.run(
    "record",
    () => recordCustomer(host.paths, record),
    () => restoreRecord(host, change),
  );
  return { change, node, record };
}

/** What this is about, so that whoever finds it cut short knows what to undo or to finish. */
async function noteIntent({ host, bundle, generation, slot, previous }: Change, steps: Steps): Promise<void> {
  const intent = { customer: bundle.manifest.customer, generation, slot, removal: false };
  await steps.run(
    "note the change",
    () => writeIntent(host.paths, intent),
    async (clean) => {
      // As long as something of it is left, the note must say so.
      if (clean) await forgetIntent(host.paths, intent, previous !== undefined);
    },
  );
}

/** After the record the new generation is what holds, and nothing of this can change that. */
async function clearUp({ before }: Request, { change, node, record }: Done): Promise<void> {
  try {
    const { host, node: config, gre, bundle } = change;
    await retireOthers({ host, node: config, gre, bundle, loaded: { ...record, manifest: bundle.manifest } });
    await forgetIntent(host.paths, record, true);
    await retireOldParts(change.host, before, node);
  } catch (error) {
    const { customer, generation } = record;
    const params = { customer, generation: `${generation}`, cause: causeOf(error) };
    throw failure("TG9014", params, "mend the cause, then apply the same bundle again", error);
  }
}

/** What is missing where the same bundle is already loaded; undefined where it is not. */
async function driftOf(
  host: Host,
  bundle: Bundle,
  node: NodeConfig,
  before: NodeState | undefined,
  loaded: readonly LoadedCustomer[],
  cut: readonly Unfinished[],
): Promise<readonly string[] | undefined> {
  const current = loaded.find(({ customer }) => customer === bundle.manifest.customer);
  if (!before || current?.hash !== bundle.hash) return undefined;
  if (JSON.stringify(before.config) !== JSON.stringify(node)) return undefined;
  const missing = [...(await nodeDrift(host, before)), ...(await customerDrift(host, before, current))];
  return [...missing, ...cut.map(({ name }) => name)];
}

function unchanged(bundle: Bundle, { generation }: CustomerRecord): Applied {
  return { ...about(bundle), changed: false, generation, hash: bundle.hash, drift: [] };
}

function about({ manifest: { customer }, release }: Bundle): Pick<Applied, "customer" | "signedBy"> {
  return { customer, signedBy: release?.signers ?? null };
}

function placeOf(customer: string, loaded: readonly LoadedCustomer[]): { generation: number; slot: number } {
  const current = loaded.find((one) => one.customer === customer);
  return current
    ? { generation: current.generation + 1, slot: current.slot }
    : { generation: 1, slot: freeSlot(loaded) };
}

async function previousOf(host: Host, { bundle, before, loaded }: Request): Promise<Previous | undefined> {
  const current = loaded.find(({ customer }) => customer === bundle.manifest.customer);
  if (!current || !before) return undefined;
  // The same bundle may be applied to mend its copy.
  const copy = current.hash === bundle.hash ? bundle : await verifiedCopy(host, current);
  return { ...current, manifest: copy.manifest, bundle: copy, node: before.config };
}

/**
 * The way back, should the change fail: what was let in is let in again by its hash, though its key may be trusted no
 * more.
 */
async function verifiedCopy(
  { paths }: Host,
  { customer, generation, hash }: LoadedCustomer,
): Promise<Bundle> {
  const dir = paths.bundle(customer, generation);
  const hint = `apply the bundle that is in force once more, or remove it: tidegate remove ${customer}`;
  const copy = await readBundle(dir).catch((error: unknown) => {
    throw failure("TG9011", { file: dir, problem: causeOf(error) }, hint, error);
  });
  if (copy.hash === hash) return copy;
  throw failure("TG9011", { file: dir, problem: "its manifest is not the recorded one" }, hint);
}

async function restoreRecord({ paths }: Host, { previous, bundle }: Change): Promise<void> {
  const { customer } = bundle.manifest;
  if (!previous) return forgetRecord(paths, customer);
  const { bundle: _, node: __, ...loaded } = previous;
  await recordCustomer(paths, recordOf(loaded));
}

import type { NodeConfig } from "../src/targets/manifest.js";
import { type Bundle, readBundle, requireWhole } from "./bundle.js";
import { type Change, type Previous, requireTunnels } from "./customer/change.js";
import { commit } from "./customer/commit.js";
import { prefixesOf } from "./customer/dispatch.js";
import { whenSettled } from "./customer/ending.js";
import { narrowUplinks } from "./customer/narrow-uplinks.js";
import { freeSlot } from "./customer/program.js";
import { endChange, recover, type Unfinished, unfinished } from "./customer/recover.js";
import { stage } from "./customer/stage.js";
import { standingTunnels } from "./customer/standing.js";
import { customerDrift, nodeDrift } from "./drift.js";
import { causeOf, failure } from "./failures.js";
import { greDriver } from "./gre/choose.js";
import { type Host, isLocked, reviveLoader, withHost } from "./host.js";
import { type OwnAddress, ownAddresses, refuseOwn, warnOfOwn } from "./node/own-addresses.js";
import { requireNode } from "./node/parts.js";
import { endNodeChange, sameNode, setUpNode } from "./node/setup.js";
import { forgetIntent, readIntent, writeIntent } from "./notes.js";
import { checkOwnership } from "./ownership.js";
import {
  type CustomerRecord,
  DEFAULT_STATE_DIR,
  forgetRecord,
  holdsOf,
  type LoadedCustomer,
  type NodeState,
  type Paths,
  readCustomers,
  readNodeState,
  recordCustomer,
  recordOf,
} from "./state.js";
import { allOrNothing, type OnStep, type Steps } from "./steps.js";
import { refuseStrangers } from "./strangers.js";
import { refuseDowngrade } from "./trust/downgrade.js";
import { renewRelease } from "./trust/renew.js";
import { DEFAULT_MEMORY_DIR, Serials } from "./trust/serials.js";
import type { RuntimeWarning } from "./warnings.js";

export interface ApplyOptions {
  /** Folder of the bundle. */
  readonly bundle: string;
  readonly node: NodeConfig;
  readonly stateDir?: string;
  /** Where a node with keys remembers each customer's newest serial; outlives a reboot. */
  readonly memoryDir?: string;
  /** Takes a signed bundle that is older than the newest one, too. */
  readonly rollback?: boolean;
  /** The hash of the bundle that was seen in force: does nothing where another one has come since, or the customer has gone. */
  readonly onlyOver?: string;
  /** Hears of each step as it begins. */
  readonly onStep?: OnStep;
  /**
   * Gets what is left to do when the answer is given: to take away what was in force before, as soon as no packet is on its way
   * there any more. Without, the answer waits for it. Rejects with TG9014; the process must not end before.
   */
  readonly afterwards?: (ending: Promise<void>) => void;
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
  /** What is in force, and yet not as it should be. */
  readonly warnings: readonly RuntimeWarning[];
  /** Another bundle has come first (`onlyOver`): nothing was done. */
  readonly overtaken?: true;
}

/**
 * Puts a bundle in force on this node: verifies, stages all that can fail, commits, records, removes the old.
 * Throws a RuntimeFailure; then everything is as it was before, but for TG9014.
 */
export async function apply(options: ApplyOptions): Promise<Applied> {
  const { stateDir = DEFAULT_STATE_DIR, afterwards } = options;
  const { applied, ending } = await withHost({ stateDir, lock: true }, (host) => applyOn(host, options));
  if (ending && afterwards) afterwards(ending);
  else await ending;
  return applied;
}

interface Outcome {
  readonly applied: Applied;
  /** What was in force before is still to be taken away: done by then. */
  readonly ending?: Promise<void>;
}

async function applyOn(host: Host, options: ApplyOptions): Promise<Outcome> {
  const { onStep = () => {}, node } = options;
  onStep("verify the bundle");
  const bundle = await readBundle(options.bundle, node.keys);
  const { customer } = bundle.manifest;
  const cut = await unfinished(host, customer);
  const { before, loaded } = await endOthers(host, bundle, node);
  const current = loaded.find((one) => one.customer === customer);
  if (options.onlyOver !== undefined && current?.hash !== options.onlyOver)
    return { applied: overtaken(bundle, current) };
  checkOwnership(
    bundle.manifest,
    node,
    loaded.map(({ manifest }) => manifest),
  );
  requireTunnels(bundle, node);
  await requireNode(host, node);
  const own = await ownAddresses(host, node.anycast, before?.config.anycast);
  refuseOwn(bundle.manifest, current?.manifest, own);
  refuseDowngrade(before?.config, node);
  const serials = new Serials(options.memoryDir ?? DEFAULT_MEMORY_DIR);
  await serials.refuseUnsigned(bundle);
  if (!options.rollback) await serials.refuseReplay(bundle, loaded);
  await refuseStrangers(host, before, bundle.manifest);
  const drift = await driftOf(host, bundle, node, before, loaded, cut);
  if (current && drift?.length === 0) {
    await allOrNothing(onStep, (steps) => renewRelease(host.paths, current, bundle, serials, steps));
    return { applied: unchanged(bundle, current, await warningsOf(host, bundle, node, own)) };
  }
  // What was cut short has been ended as a whole just now.
  const mend = drift !== undefined && drift.length > cut.length;
  const request = { bundle, node, before, loaded, serials, drift: drift ?? [], mend };
  const done = await allOrNothing(
    onStep,
    (steps) => change(host, request, steps),
    () => reviveLoader(host),
  );
  const { generation, hash } = done.record;
  const warnings = await warningsOf(host, bundle, node, own);
  const applied = { ...about(bundle), changed: true, generation, hash, drift: request.drift, warnings };
  if (current && before && sameNode(before.config, node)) return { applied, ending: endLater(host, applied) };
  await clearing(applied, () => clearUp(done));
  return { applied };
}

/** What is not as it should be of a bundle in force. */
async function warningsOf(
  host: Host,
  bundle: Bundle,
  node: NodeConfig,
  own: readonly OwnAddress[],
): Promise<readonly RuntimeWarning[]> {
  return [...warnOfOwn(bundle.manifest, own), ...(await narrowUplinks(host, bundle, node))];
}

/** What is in force before a change; nobody else changes it as long as the lock is held. */
type Known = Pick<Request, "before" | "loaded">;

async function readKnown(paths: Paths): Promise<Known> {
  return { before: await readNodeState(paths), loaded: await readCustomers(paths) };
}

/**
 * Ends the changes that were cut short; gives what is in force then. What this process will end by itself goes on meanwhile, unless
 * it may give up what this bundle takes: its packets must have settled before, and its parts be gone.
 */
async function endOthers(host: Host, { manifest }: Bundle, node: NodeConfig): Promise<Known> {
  const known = await readKnown(host.paths);
  const { before, loaded } = known;
  const own = loaded.find(({ customer }) => customer === manifest.customer);
  const held = new Set(own ? claimsOf(own.manifest) : []);
  const takes =
    claimsOf(manifest).some((claim) => !held.has(claim)) || !before || !sameNode(before.config, node);
  const isLeft = (other: string) => !takes && other !== manifest.customer;
  return (await recover(host, before, loaded, isLeft)) ? readKnown(host.paths) : known;
}

/** What only one customer can have. */
function claimsOf({ prefixes, tunnels }: CustomerRecord["holds"]): readonly string[] {
  return [...prefixes, ...tunnels.map(({ kind, remote, key }) => `${kind} ${remote} ${key}`)];
}

interface Request {
  readonly bundle: Bundle;
  readonly node: NodeConfig;
  readonly before: NodeState | undefined;
  readonly loaded: readonly LoadedCustomer[];
  readonly serials: Serials;
  readonly drift: readonly string[];
  /** Something of what is loaded is missing. */
  readonly mend: boolean;
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
  const customers = {
    marked: loaded.flatMap(({ manifest }) => prefixesOf(manifest)),
    standing: request.before ? standingTunnels(loaded, request.before.config) : [],
  };
  const place = placeOf(customer, loaded);
  const by = { customer, generation: place.generation };
  const { state: node, remade } = await setUpNode(host, config, request.before, by, customers, steps);
  const change: Change = {
    host,
    node: config,
    gre: greDriver(host, node.gre),
    bundle: request.bundle,
    ...place,
    previous,
    mend: request.mend,
    others: loaded.filter((other) => other.customer !== customer),
  };
  await noteIntent(change, steps);
  const staged = await stage(change, steps);
  const record: CustomerRecord = {
    customer,
    generation: change.generation,
    hash: request.bundle.hash,
    slot: change.slot,
    since: new Date().toISOString(),
    holds: holdsOf(request.bundle.manifest),
    ...(previous?.counted && { counted: previous.counted }),
  };
  await commit(change, { ...staged, remade: remade || staged.remade }, record, steps);
  // Before the record: a run that is killed in between has refused too much, never too little.
  await request.serials.remember(request.bundle, steps);
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

/**
 * A first bundle has nothing to end, and a change of the node itself ends under the same lock: another one of the node must not
 * come in between.
 */
async function clearUp({ change, node, record }: Done): Promise<void> {
  const { host } = change;
  await endChange(host, record.customer, record.generation);
  await endNodeChange(host, node, record.generation);
}

/** Ends the change when it has settled; until then others may have the lock. */
function endLater({ paths }: Host, applied: Applied): Promise<void> {
  const { customer, generation } = applied;
  const end = (host: Host) => clearing(applied, () => endChange(host, customer, generation));
  const isNoted = async () => (await readIntent(paths, customer))?.generation === generation;
  return whenSettled(paths.customer(customer), generation, async () => {
    // Whoever else takes the lock ends it before anything else; who refuses first leaves it, and is done soon.
    for (let tries = 1; await isNoted(); tries++) {
      const held = await withHost({ stateDir: paths.stateDir, lock: true }, end).then(
        () => null,
        (error: unknown) => error,
      );
      if (held === null) return;
      if (!isLocked(held) || tries === MOST_TRIES) throw held;
    }
  });
}

/** Each waits for the lock for half a second. */
const MOST_TRIES = 20;

/** After the record the new generation is what holds, and nothing of this can change that. */
async function clearing({ customer, generation }: Applied, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    const params = { customer, generation: `${generation}`, cause: causeOf(error) };
    throw failure("TG9014", params, "mend the cause, then apply the same bundle again", error);
  });
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
  if (!sameNode(before.config, node)) return undefined;
  const missing = [...(await nodeDrift(host, before)), ...(await customerDrift(host, before, current))];
  return [...missing, ...cut.map(({ name }) => name)];
}

function unchanged(
  bundle: Bundle,
  { generation }: CustomerRecord,
  warnings: readonly RuntimeWarning[],
): Applied {
  return { ...about(bundle), changed: false, generation, hash: bundle.hash, drift: [], warnings };
}

function overtaken(bundle: Bundle, current: CustomerRecord | undefined): Applied {
  const { generation, hash } = current ?? { generation: 0, hash: "" };
  return { ...about(bundle), changed: false, generation, hash, drift: [], warnings: [], overtaken: true };
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
  // The way back, should the change fail. The same bundle may be applied to mend its copy.
  const copy = current.hash === bundle.hash ? bundle : await requireWhole(host.paths, current);
  return { ...current, manifest: copy.manifest, bundle: copy, node: before.config };
}

async function restoreRecord({ paths }: Host, { previous, bundle }: Change): Promise<void> {
  const { customer } = bundle.manifest;
  if (!previous) return forgetRecord(paths, customer);
  const { bundle: _, node: __, ...loaded } = previous;
  await recordCustomer(paths, recordOf(loaded));
}

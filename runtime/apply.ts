import { rm } from "node:fs/promises";
import type { NodeConfig } from "../src/targets/manifest.js";
import { type Bundle, readBundle } from "./bundle.js";
import { type Change, type Previous, requireTunnels } from "./customer/change.js";
import { commit } from "./customer/commit.js";
import { freeSlot, unloadProgram } from "./customer/program.js";
import { emptyTable, tableOf } from "./customer/routes.js";
import { stage } from "./customer/stage.js";
import { retireTunnels } from "./customer/tunnels.js";
import { customerDrift, nodeDrift } from "./drift.js";
import { greDriver } from "./gre/choose.js";
import { type Host, withHost } from "./host.js";
import { requireNode } from "./node/parts.js";
import { retireOldParts, setUpNode } from "./node/setup.js";
import { checkOwnership } from "./ownership.js";
import {
  type CustomerRecord,
  DEFAULT_STATE_DIR,
  type LoadedCustomer,
  type NodeState,
  readCustomers,
  readNodeState,
  writeRecord,
} from "./state.js";
import { allOrNothing, type OnStep, type Steps } from "./steps.js";

export interface ApplyOptions {
  /** Folder of the bundle. */
  readonly bundle: string;
  readonly node: NodeConfig;
  readonly stateDir?: string;
  /** Hears of each step as it begins. */
  readonly onStep?: OnStep;
}

export interface Applied {
  readonly customer: string;
  /** False: this bundle was in force already, and nothing was touched. */
  readonly changed: boolean;
  readonly generation: number;
  readonly hash: string;
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
    const bundle = await readBundle(options.bundle);
    const loaded = await readCustomers(host.paths);
    checkOwnership(
      bundle.manifest,
      node,
      loaded.map(({ manifest }) => manifest),
    );
    requireTunnels(bundle, node);
    await requireNode(node);
    const before = await readNodeState(host.paths);
    const drift = await driftOf(host, bundle, node, before, loaded);
    if (drift?.length === 0) return unchanged(bundle, loaded);
    return allOrNothing(onStep, (steps) =>
      change(host, { bundle, node, before, loaded, drift: drift ?? [] }, steps),
    );
  });
}

interface Request {
  readonly bundle: Bundle;
  readonly node: NodeConfig;
  readonly before: NodeState | undefined;
  readonly loaded: readonly LoadedCustomer[];
  readonly drift: readonly string[];
}

async function change(host: Host, request: Request, steps: Steps): Promise<Applied> {
  const { node, loaded } = request;
  const { customer } = request.bundle.manifest;
  const state = await setUpNode(host, node, request.before, steps);
  const change: Change = {
    host,
    node,
    gre: greDriver(host, state.gre),
    bundle: request.bundle,
    ...placeOf(customer, loaded),
    previous: await previousOf(host, request),
    others: loaded.filter((other) => other.customer !== customer),
  };
  const bundle = await stage(change, steps);
  const record: CustomerRecord = {
    customer,
    generation: change.generation,
    hash: bundle.hash,
    slot: change.slot,
    since: new Date().toISOString(),
  };
  await commit(change, bundle, record, steps);
  await steps.run(
    "record",
    () => writeRecord(host.paths, record),
    () => restoreRecord(host, change),
  );
  await removeOld(change);
  await retireOldParts(host, request.before, state);
  return { customer, changed: true, generation: record.generation, hash: record.hash, drift: request.drift };
}

/** What is missing where the same bundle is already loaded; undefined where it is not. */
async function driftOf(
  host: Host,
  bundle: Bundle,
  node: NodeConfig,
  before: NodeState | undefined,
  loaded: readonly LoadedCustomer[],
): Promise<readonly string[] | undefined> {
  const current = loaded.find(({ customer }) => customer === bundle.manifest.customer);
  if (!before || current?.hash !== bundle.hash) return undefined;
  if (JSON.stringify(before.config) !== JSON.stringify(node)) return undefined;
  return [...(await nodeDrift(host, before)), ...(await customerDrift(host, before, current))];
}

function unchanged(bundle: Bundle, loaded: readonly LoadedCustomer[]): Applied {
  const { customer } = bundle.manifest;
  const generation = loaded.find((one) => one.customer === customer)?.generation ?? 0;
  return { customer, changed: false, generation, hash: bundle.hash, drift: [] };
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
  const copy = await readBundle(host.paths.bundle(current.customer, current.generation));
  return { ...current, bundle: copy, node: before.config };
}

async function restoreRecord({ paths }: Host, { previous, bundle }: Change): Promise<void> {
  const { customer } = bundle.manifest;
  if (!previous) return rm(paths.customer(customer), { recursive: true, force: true });
  const { generation, hash, slot, since } = previous;
  await writeRecord(paths, { customer, generation, hash, slot, since });
}

/** After the record nothing leads to the old generation any more. */
async function removeOld(change: Change): Promise<void> {
  const { host, previous } = change;
  if (!previous) return;
  const { customer, namespace } = previous.manifest;
  await retireTunnels(change);
  await emptyTable(namespace, tableOf(previous.generation));
  await unloadProgram(host, customer, previous.generation);
  await rm(host.paths.bundle(customer, previous.generation), { recursive: true, force: true });
}

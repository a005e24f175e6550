import { rm } from "node:fs/promises";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { type Applied, type ApplyOptions, apply } from "../apply.js";
import { wholeBundle } from "../bundle.js";
import { allEnded } from "../customer/ending.js";
import { customerDrift, nodeDrift } from "../drift.js";
import { RuntimeFailure } from "../failures.js";
import { customersInForce, withHost } from "../host.js";
import { ownAddresses, warnOfOwn } from "../node/own-addresses.js";
import { remove } from "../remove.js";
import { recoverNode } from "../restart.js";
import { type LoadedCustomer, Paths, readCustomers, readNodeState } from "../state.js";
import type { RuntimeWarning } from "../warnings.js";

/** What is in force of one customer. */
export type InForce = Pick<LoadedCustomer, "customer" | "generation" | "hash">;

/** What is on this node and should not be, or the other way round. */
export interface Found {
  readonly node: readonly string[];
  /** Of those customers that were looked at. */
  readonly customers: readonly (InForce & {
    readonly drift: readonly string[];
  })[];
  /** Of what is in force of each customer, also of those that were not looked at, and nothing that an apply could mend. */
  readonly warnings: ReadonlyMap<string, readonly RuntimeWarning[]>;
}

export type EngineOptions = Pick<ApplyOptions, "onlyOver" | "memoryDir" | "rollback" | "onStep">;

/** What a daemon can do with a node. */
export interface Engine {
  /** `options`: where an operator has given others than the daemon's. */
  apply(bundle: string, node: NodeConfig, options?: EngineOptions): Promise<Applied>;
  /** Takes a customer away; false: it was not there. */
  remove(customer: string): Promise<boolean>;
  /** Ends of changes that failed since this was asked last: whose they are, and why. What is in force is not touched by that. */
  unended(): ReadonlyMap<string, unknown>;
  /** Ends the changes of which the end failed. */
  endChanges(): Promise<void>;
  inForce(): Promise<readonly InForce[]>;
  /** The description of the node that is in force; undefined where nothing is loaded. */
  nodeInForce(): Promise<NodeConfig | undefined>;
  look(customers: ReadonlySet<string>): Promise<Found>;
  /** The node's own copy of the bundle that is in force; undefined if that was damaged. */
  storedBundle(customer: InForce): Promise<string | undefined>;
  /** A folder that a customer's next bundle can be fetched to. */
  incoming(customer: string): string;
  clearIncoming(customer: string): Promise<void>;
}

/** The node that this process runs on. */
export function kernelEngine(stateDir: string, memoryDir: string): Engine {
  const paths = new Paths(stateDir);
  const unended = new Map<string, unknown>();
  return {
    apply: (bundle, node, options) =>
      applyAndLeave({ bundle, node, stateDir, memoryDir, ...options }, unended),
    unended: () => {
      const taken = new Map(unended);
      unended.clear();
      return taken;
    },
    endChanges: async () => void (await recoverNode({ stateDir })),
    remove: (customer) => removeIfThere(customer, stateDir),
    inForce: () => customersInForce(stateDir),
    nodeInForce: async () => (await readNodeState(paths))?.config,
    look: (customers) => look(stateDir, customers),
    storedBundle: async (customer) => (await wholeBundle(paths, customer))?.dir,
    incoming: (customer) => paths.incoming(customer),
    clearIncoming: (customer) => rm(paths.incoming(customer), { recursive: true, force: true }),
  };
}

/** The next customer need not wait for the end of a change; if that fails, it is noted in `unended`. */
async function applyAndLeave(options: ApplyOptions, unended: Map<string, unknown>): Promise<Applied> {
  let ended: Promise<unknown> = Promise.resolve(null);
  const afterwards = (ending: Promise<void>) => {
    ended = ending.then(
      () => null,
      (error: unknown) => error,
    );
  };
  const applied = await apply({ ...options, afterwards });
  void ended.then((error) => {
    if (error !== null) unended.set(applied.customer, error);
  });
  return applied;
}

async function removeIfThere(customer: string, stateDir: string): Promise<boolean> {
  try {
    await remove({ customer, stateDir });
    return true;
  } catch (error) {
    if (error instanceof RuntimeFailure && error.code === "TG9010") return false;
    throw error;
  }
}

async function look(stateDir: string, wanted: ReadonlySet<string>): Promise<Found> {
  // Until then old and new stand side by side, which is no drift.
  await allEnded();
  return withHost({ stateDir, lock: false }, async (host) => {
    const state = await readNodeState(host.paths);
    if (!state) return { node: [], customers: [], warnings: new Map() };
    const own = await ownAddresses(host, state.config.anycast);
    const all = await readCustomers(host.paths);
    const warnings = new Map(all.map(({ customer, manifest }) => [customer, warnOfOwn(manifest, own)]));
    const customers: Found["customers"][number][] = [];
    for (const loaded of all) {
      if (!wanted.has(loaded.customer)) continue;
      const { customer, generation, hash } = loaded;
      customers.push({ customer, generation, hash, drift: await customerDrift(host, state, loaded) });
    }
    return { node: await nodeDrift(host, state), customers, warnings };
  });
}

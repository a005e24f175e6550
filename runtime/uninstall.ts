import { rm, rmdir } from "node:fs/promises";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { readBundle } from "./bundle.js";
import { customerParts, tunnelParts } from "./customer/parts.js";
import { failure, RuntimeFailure } from "./failures.js";
import { greDriver } from "./gre/choose.js";
import { explained, type Host, requireRoot, withHost } from "./host.js";
import { tearDownNode } from "./node/setup.js";
import { knownNames } from "./notes.js";
import { remove } from "./remove.js";
import {
  DEFAULT_STATE_DIR,
  entriesOf,
  forgetCustomer,
  forgetNode,
  type NodeState,
  Paths,
  readNodeState,
  recordedNames,
  storedGenerations,
} from "./state.js";
import { type OnStep, takeDown } from "./steps.js";

export interface UninstallOptions {
  readonly stateDir?: string;
  readonly onStep?: OnStep;
}

export interface Uninstalled {
  /** The customers that were taken away. */
  readonly customers: readonly string[];
}

/**
 * Leaves the machine as it was before the first customer, whatever a run that was killed has left behind, and nothing in the
 * state directory. Can be repeated. Kernel modules that were loaded on the way stay. Throws TG9002 while a daemon runs.
 */
export async function uninstall(options: UninstallOptions = {}): Promise<Uninstalled> {
  const { stateDir = DEFAULT_STATE_DIR, onStep = () => {} } = options;
  requireRoot();
  const paths = new Paths(stateDir);
  await requireNoDaemon(paths);
  const customers = await explained(recordedNames(paths));
  for (const customer of customers) await removeIfThere(customer, stateDir, onStep);
  await withHost({ stateDir, lock: true }, async (host) => {
    const state = await readNodeState(paths);
    if (state) await removeRemains(host, state, onStep);
    if (state) await tearDownNode(host, state, onStep);
    await forgetNode(paths);
  });
  await explained(removeFiles(paths));
  // What else is in it is somebody else's.
  await rmdir(stateDir).catch(() => undefined);
  return { customers };
}

/** It would put back what is taken away, and nobody could hand a command over to it again. */
async function requireNoDaemon(paths: Paths): Promise<void> {
  const isTaken = await new Promise<boolean>((resolve) => {
    const socket = connect(paths.commands());
    const end = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once("connect", () => end(true));
    // Of a daemon that was killed there may be a socket, at which nobody listens.
    socket.once("error", () => end(false));
  });
  if (isTaken) throw failure("TG9002", { cause: "tidegated follows a store here" }, "stop tidegated first");
}

async function removeFiles(paths: Paths): Promise<void> {
  await rm(paths.incoming(), { recursive: true, force: true });
  for (const file of [paths.daemon(), paths.commands(), paths.probes(), paths.lock(), paths.watchLock()])
    await rm(file, { force: true });
  // A daemon was killed while it wrote (replaceDurably, writeReport).
  const begun = [`.${basename(paths.daemon())}.`, `${basename(paths.probes())}.`];
  for (const file of await entriesOf(paths.stateDir))
    if (begun.some((name) => file.startsWith(name))) await rm(join(paths.stateDir, file), { force: true });
}

/** Somebody else may have been faster. */
async function removeIfThere(customer: string, stateDir: string, onStep: OnStep): Promise<void> {
  await remove({ customer, stateDir, onStep }).catch((error: unknown) => {
    if (!(error instanceof RuntimeFailure && error.code === "TG9010")) throw error;
  });
}

/** Customers whose first change was killed before it was recorded: their bundle says what there may be of them. */
async function removeRemains(host: Host, { config, gre }: NodeState, onStep: OnStep): Promise<void> {
  const { paths } = host;
  for (const customer of await knownNames(paths)) {
    const [generation] = await storedGenerations(paths, customer);
    // Nothing of a customer is made before its bundle is copied as a whole.
    const bundle = await readBundle(paths.bundle(customer, generation ?? 0)).catch(() => undefined);
    if (bundle) {
      const tunnels = tunnelParts(greDriver(host, gre), bundle, config).values();
      await takeDown([...customerParts(host, bundle, config), ...tunnels], onStep);
    }
    await rm(join(host.paths.bpf("customers"), customer), { recursive: true, force: true });
    await forgetCustomer(paths, customer);
  }
}

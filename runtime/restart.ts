import { recover } from "./customer/recover.js";
import { explained, requireRoot, withHost } from "./host.js";
import { isAnyNoted, readIntents } from "./notes.js";
import { DEFAULT_STATE_DIR, Paths, readCustomers, readNodeState, recordedNames } from "./state.js";

export interface Recovered {
  /** Customers whose last change was cut short, and has been finished or undone now. */
  readonly customers: readonly string[];
}

/**
 * Ends the changes of runs that were killed, as every change does that comes behind them: whoever has just started need not
 * wait for one.
 */
export async function recoverNode({
  stateDir = DEFAULT_STATE_DIR,
}: {
  readonly stateDir?: string;
}): Promise<Recovered> {
  requireRoot();
  // Mostly there is nothing to end, and no reason to wait for who is at work.
  if (await explained(isSettled(new Paths(stateDir)))) return { customers: [] };
  return withHost({ stateDir, lock: true }, async (host) => {
    const customers = (await readIntents(host.paths)).map(({ customer }) => customer);
    await recover(host, await readNodeState(host.paths), await readCustomers(host.paths));
    return { customers };
  });
}

/** No change was cut short, neither a customer's nor one of the node, nor is there a node of a customer who never came. */
async function isSettled(paths: Paths): Promise<boolean> {
  if (await isAnyNoted(paths)) return false;
  const [node, recorded] = [await readNodeState(paths), await recordedNames(paths)];
  return recorded.length === 0 ? node === undefined : node?.change === undefined;
}

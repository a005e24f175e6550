import type { Bundle } from "../bundle.js";
import type { TunnelRow } from "../gre/driver.js";
import { type Part, type Steps, takeDown } from "../steps.js";
import { anycast4, type Change } from "./change.js";
import { tunnelParts } from "./parts.js";
import { fillTable } from "./routes.js";

/**
 * A tunnel that stays stays untouched; the others are made. An old one in the way of a new one goes first: both cannot
 * be there at once, as they share a name, or remote and key. Until the new one stands, packets to it take what else the
 * customer's own routing table has for them, its blackhole at last.
 */
export async function stageTunnels(change: Change, bundle: Bundle, steps: Steps): Promise<void> {
  const { host, gre, node, previous } = change;
  const gone = oldTunnels(change, (row) => makesWay(change, row));
  if (previous && gone.length > 0) {
    const name = gone.map((part) => part.name).join(", ");
    await steps.run(
      `take down ${name}`,
      () => takeDown(gone, () => {}),
      () => restore(gone).then(refill),
    );
  }
  await steps.ensure([...tunnelParts(gre, bundle, node).values()]);

  // The routes to a device go with it.
  async function refill(): Promise<void> {
    if (previous) await fillTable(host, previous.bundle, previous.generation);
  }
}

async function restore(parts: readonly Part[]): Promise<void> {
  for (const part of parts) {
    await part.down();
    await part.up();
  }
}

function oldTunnels({ gre, previous }: Change, which: (row: TunnelRow) => boolean): readonly Part[] {
  if (!previous) return [];
  const chosen = new Set(previous.bundle.manifest.tunnels.filter(which).map(({ name }) => name));
  return [...tunnelParts(gre, previous.bundle, previous.node)]
    .filter(([name]) => chosen.has(name))
    .map(([, part]) => part);
}

function makesWay(change: Change, old: TunnelRow): boolean {
  return change.bundle.manifest.tunnels.some(
    (row) => !stays(change, row) && (row.name === old.name || sameEndpoint(row)(old)),
  );
}

function stays({ previous, node }: Change, row: TunnelRow): boolean {
  if (!previous || anycast4(previous.node) !== anycast4(node)) return false;
  const before = previous.manifest.tunnels.find(({ name }) => name === row.name);
  return JSON.stringify(before) === JSON.stringify(row);
}

export function sameEndpoint({ remote, key }: TunnelRow): (other: TunnelRow) => boolean {
  return (other) => other.remote === remote && other.key === key;
}

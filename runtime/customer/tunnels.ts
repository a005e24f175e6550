import type { Bundle } from "../bundle.js";
import type { TunnelRow } from "../gre/driver.js";
import { type Part, type Steps, takeDown } from "../steps.js";
import { type Change, outerSource, type Previous } from "./change.js";
import { tunnelParts } from "./parts.js";
import { fillTable } from "./routes.js";

/**
 * A tunnel that leads elsewhere is another device and is made beside the old one; one that leads where one did before is
 * altered where it stands. So the routes in force always have the devices that they were made for.
 */
export async function stageTunnels(change: Change, bundle: Bundle, steps: Steps): Promise<void> {
  await makeWay(change, bundle, steps);
  await alterTunnels(change, bundle, steps, (row, before) => row.mtu >= before.mtu);
  await steps.ensure([...tunnelParts(change.gre, bundle, change.node).values()]);
}

/** Those that take less than before, when no packet that the old policy lets be longer goes there any more. */
export async function narrowTunnels(change: Change, bundle: Bundle, steps: Steps): Promise<void> {
  await alterTunnels(change, bundle, steps, (row, before) => row.mtu < before.mtu);
}

/** Mending, also those that should be as they are. */
async function alterTunnels(
  { gre, node, previous, mend }: Change,
  bundle: Bundle,
  steps: Steps,
  which: (row: TunnelRow, before: TunnelRow) => boolean,
): Promise<void> {
  if (!previous) return;
  for (const row of bundle.manifest.tunnels) {
    const before = previous.manifest.tunnels.find(({ device }) => device === row.device);
    if (!before || !which(row, before)) continue;
    const [now, then] = [outerSource(node, row.remote), outerSource(previous.node, before.remote)];
    if (now === undefined || then === undefined) continue;
    if (!mend && now === then && sameTunnel(row, before)) continue;
    await steps.run(
      `tunnel ${row.name}`,
      () => gre.alter(bundle, row, now, { row: before, anycast: then }),
      () => gre.alter(previous.bundle, before, then, { row, anycast: now }),
    );
  }
}

/** How their routers are asked makes no tunnel another. */
export function sameTunnel(one: TunnelRow, other: TunnelRow): boolean {
  const made = (row: TunnelRow) => JSON.stringify({ ...row, health: undefined });
  return made(one) === made(other);
}

/**
 * This compiler calls devices by their endpoints. Of a bundle that does not, an old device may have the new one's endpoint, of
 * which the kernel has one only: it goes first, and until the new one stands its packets take what else the customer's
 * routing table has for them, its blackhole at last.
 */
async function makeWay({ host, gre, previous }: Change, bundle: Bundle, steps: Steps): Promise<void> {
  if (!previous) return;
  const gone = previous.manifest.tunnels.filter((old) =>
    bundle.manifest.tunnels.some((row) => row.device !== old.device && sameEndpoint(row)(old)),
  );
  if (gone.length === 0) return;
  const parts = tunnelsOf(gre, previous, gone);
  await steps.run(
    `take down ${parts.map(({ name }) => name).join(", ")}`,
    () => takeDown(parts, () => {}),
    async () => {
      for (const part of parts) await part.down().then(() => part.up());
      // The routes to a device go with it.
      await fillTable(host, previous.bundle, previous.generation);
    },
  );
}

function tunnelsOf(
  gre: Change["gre"],
  { bundle, node }: Previous,
  rows: readonly TunnelRow[],
): readonly Part[] {
  const parts = tunnelParts(gre, bundle, node);
  return rows.flatMap(({ name }) => parts.get(name) ?? []);
}

export function sameEndpoint({ kind, remote, key }: TunnelRow): (other: TunnelRow) => boolean {
  return (other) => other.kind === kind && other.remote === remote && other.key === key;
}

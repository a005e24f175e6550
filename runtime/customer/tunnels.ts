import type { Bundle } from "../bundle.js";
import type { TunnelRow } from "../gre/driver.js";
import { type Part, type Steps, takeDown } from "../steps.js";
import { type Change, outerSource, type Previous } from "./change.js";
import { settle } from "./ending.js";
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
  const isNarrower = (row: TunnelRow, before: TunnelRow) => row.mtu < before.mtu;
  const narrower = bundle.manifest.tunnels.some((row) => {
    const before = sameDevice(change.previous, row);
    return before !== undefined && isNarrower(row, before);
  });
  if (!narrower) return;
  await settle();
  await alterTunnels(change, bundle, steps, isNarrower);
}

function sameDevice(previous: Previous | undefined, { device }: TunnelRow): TunnelRow | undefined {
  return previous?.manifest.tunnels.find((one) => one.device === device);
}

/** Mending, also those that should be as they are. */
async function alterTunnels(
  { host, gre, node, previous, mend }: Change,
  bundle: Bundle,
  steps: Steps,
  which: (row: TunnelRow, before: TunnelRow) => boolean,
): Promise<void> {
  if (!previous) return;
  for (const row of bundle.manifest.tunnels) {
    const before = sameDevice(previous, row);
    if (!before || !which(row, before)) continue;
    const [now, then] = [outerSource(node, row.remote), outerSource(previous.node, before.remote)];
    if (now === undefined || then === undefined) continue;
    if (!mend && now === then && sameTunnel(row, before)) continue;
    await steps.run(
      `tunnel ${row.name}`,
      () => gre.alter(bundle, row, now, { row: before, anycast: then }),
      async () => {
        await gre.alter(previous.bundle, before, then, { row, anycast: now });
        if (lostIpv6(before, row)) await fillTable(host, previous.bundle, previous.generation);
      },
    );
  }
}

/** Are they the same to their device? How a router is asked is not its matter. */
export function sameTunnel(one: TunnelRow, other: TunnelRow): boolean {
  const parameters = (row: TunnelRow) => JSON.stringify({ ...row, health: undefined });
  return parameters(one) === parameters(other);
}

/** Below 1280 bytes a device has no IPv6 (RFC 8200, section 5), and the kernel takes the routes to it, which do not come back. */
export function lostIpv6(wide: TunnelRow, narrow: TunnelRow): boolean {
  return wide.mtu >= LEAST_IPV6_MTU && narrow.mtu < LEAST_IPV6_MTU;
}

const LEAST_IPV6_MTU = 1280;

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

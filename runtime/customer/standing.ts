import type { NodeConfig } from "../../src/targets/manifest.js";
import { wholeBundle } from "../bundle.js";
import type { GreDriver, StandingTunnel } from "../gre/driver.js";
import type { Host } from "../host.js";
import { type LoadedCustomer, readCustomers } from "../state.js";
import { outerSource } from "./change.js";

/** The tunnels of all these customers on this node. */
export function standingTunnels(
  loaded: readonly LoadedCustomer[],
  node: NodeConfig,
): readonly StandingTunnel[] {
  return loaded.flatMap(({ manifest: { namespace, tunnels } }) =>
    tunnels.flatMap((row) => {
      const anycast = outerSource(node, row.remote);
      return anycast === undefined ? [] : [{ namespace, row, anycast }];
    }),
  );
}

/**
 * Gives the tunnels of all customers in force the outer source of `to`, where they stand. As long as the node has the addresses of
 * `from`, too, they carry packets all the time: the kernel's devices send none from an address that is not local.
 */
export async function alignTunnels(
  host: Host,
  gre: GreDriver,
  to: NodeConfig,
  from: NodeConfig,
): Promise<void> {
  for (const loaded of await readCustomers(host.paths)) {
    const isMoved = ({ remote }: { readonly remote: string }) =>
      outerSource(to, remote) !== outerSource(from, remote);
    if (!loaded.manifest.tunnels.some(isMoved)) continue;
    // One customer's trouble keeps no other one's change open. It is drift, which is told of and mended.
    await alignCustomer(host, gre, loaded, to, from).catch(() => {});
  }
}

async function alignCustomer(
  host: Host,
  gre: GreDriver,
  loaded: LoadedCustomer,
  to: NodeConfig,
  from: NodeConfig,
): Promise<void> {
  const bundle = await wholeBundle(host.paths, loaded);
  if (!bundle) return;
  for (const row of bundle.manifest.tunnels) {
    const [now, then] = [outerSource(to, row.remote), outerSource(from, row.remote)];
    if (now === undefined || then === undefined || now === then) continue;
    if ((await gre.tunnel(bundle, row, now).asMeant?.()) === true) continue;
    await gre.alter(bundle, row, now, { row, anycast: then });
  }
}

import type { Bundle } from "../bundle.js";
import { deleteLink, linkCounters, linkKind, setLink } from "../netlink/link.js";
import { inside, type Network } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { changeTunnel, isTunnel } from "../netlink/tunnel.js";
import type { Part } from "../steps.js";
import type { GreDriver, TunnelRow, TunnelTraffic } from "./driver.js";
import { deviceMeant, deviceType, tunnelText, upText } from "./text.js";

/** The kernel's tunnel devices. The device lives in the customer's namespace, its underlay stays in the default one. */
export function kernelGre(node: Network): GreDriver {
  return {
    name: "kernel",
    nodeParts: () => [],
    tunnel: (bundle, row, anycast) => tunnel(node, bundle, row, anycast),
    alter: (bundle, row, anycast) => alter(inside(node, bundle.manifest.namespace), bundle, row, anycast),
    traffic: ({ namespace }, row) => traffic(inside(node, namespace), row),
  };
}

function tunnel(node: Network, bundle: Bundle, row: TunnelRow, anycast: string): Part {
  const customer = inside(node, bundle.manifest.namespace);
  return {
    name: `tunnel ${row.name}`,
    present: () => isOfKind(customer, row),
    asMeant: async () => isTunnel(customer, await deviceMeant(bundle, row, anycast)),
    up: async () => {
      await perform(node, await tunnelText(bundle, row, row.kind, anycast));
      await perform(customer, [...(await upText(bundle, row)), setLink(row.device, { alias: row.name })]);
    },
    down: async () => {
      // Under this name until it is moved into the namespace.
      await deleteLink(node, row.peer);
      await deleteLink(customer, row.device);
    },
  };
}

/** The kernel makes no device one of another kind (rtnl_changelink, EOPNOTSUPP): that is none of this name, and is made anew. */
async function isOfKind(customer: Network, row: TunnelRow): Promise<boolean> {
  return (await linkKind(customer, row.device))?.kind === deviceType(row);
}

async function alter(customer: Network, bundle: Bundle, row: TunnelRow, anycast: string): Promise<void> {
  const { device, mtu, name } = row;
  if (!(await isOfKind(customer, row))) return;
  await perform(customer, [
    changeTunnel(await deviceMeant(bundle, row, anycast)),
    // Alone: a device that was too narrow for IPv6 has nothing yet of which the next one could speak.
    setLink(device, { mtu, alias: name }),
    ...(await upText(bundle, row)),
  ]);
}

const NONE = { packets: 0, bytes: 0 };

/** None for a device that is missing, or whose namespace is: that is drift, and status tells of it. */
async function traffic(customer: Network, { device }: TunnelRow): Promise<TunnelTraffic> {
  const { sent = NONE, received = NONE, lost = 0 } = (await linkCounters(customer, device)) ?? {};
  return { sent, received, dropped: { packets: lost, bytes: 0 } };
}

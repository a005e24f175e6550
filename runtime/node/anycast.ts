import { addAddress, deleteAddress, holdersOf } from "../netlink/address.js";
import { findLink } from "../netlink/link.js";
import type { Network } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import type { Part } from "../steps.js";

/** The outer source of all tunnels. An operator may have put it on some device already; then it stays there. */
export function anycastAddress(network: Network, address: string): Part {
  const own = { device: "lo", address, length: address.includes(":") ? 128 : 32 };
  return {
    name: `anycast address ${address}`,
    present: async () => (await holdersOf(network, address)).length > 0,
    up: () => perform(network, [addAddress(own)]),
    down: async () => {
      const index = (await findLink(network, own.device))?.index ?? 0;
      if ((await holdersOf(network, address)).includes(index)) await perform(network, [deleteAddress(own)]);
    },
  };
}

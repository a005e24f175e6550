import { addAddress, deleteAddress, holdersOf, LOOPBACK } from "../netlink/address.js";
import type { Network } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import type { Part } from "../steps.js";

/** The outer source of all tunnels. An operator may have put it on some device already; then it stays there. */
export function anycastAddress(network: Network, address: string): Part {
  const own = { device: "lo", address, length: address.includes(":") ? 128 : 32 };
  const isOwn = async () => (await holdersOf(network, address, LOOPBACK)).length > 0;
  return {
    name: `anycast address ${address}`,
    // Where it mostly is: each customer's link has addresses, too.
    present: async () => (await isOwn()) || (await holdersOf(network, address)).length > 0,
    up: () => perform(network, [addAddress(own)]),
    down: async () => {
      if (await isOwn()) await perform(network, [deleteAddress(own)]);
    },
  };
}

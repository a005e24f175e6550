import { ipBatch, ipJson } from "../ip.js";
import type { Part } from "../steps.js";

interface Addresses {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string }[];
}

/** The outer source of all tunnels. An operator may have put it on some device already; then it stays there. */
export function anycastAddress(address: string): Part {
  const six = address.includes(":");
  const holders = async () =>
    (await ipJson<Addresses>(["addr", "show"]))
      .filter(({ addr_info }) => addr_info.some(({ local }) => local === address))
      .map(({ ifname }) => ifname);
  return {
    name: `anycast address ${address}`,
    present: async () => (await holders()).length > 0,
    up: () => ipBatch([six ? `addr add ${address}/128 dev lo nodad` : `addr add ${address}/32 dev lo`]),
    down: async () => {
      if ((await holders()).includes("lo")) await ipBatch([`addr del ${address}/${six ? 128 : 32} dev lo`]);
    },
  };
}

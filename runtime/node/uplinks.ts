import { existsSync } from "node:fs";
import { uplinkRow } from "../customer/fast-path.js";
import { orIfMissing } from "../failures.js";
import { type Host, tolerating } from "../host.js";
import type { MapEntry } from "../loader-client.js";
import { allLinks, findLink, type Link } from "../netlink/link.js";
import type { Part } from "../steps.js";
import { rootMap, xdpMode } from "./root-program.js";
import { readSysctl } from "./sysctls.js";

/**
 * What customers' programs know an uplink by that send packets on themselves: they take packets to its address, and send out by
 * it. It has a row only where the node lets them (whySlow); without one all packets take the namespace. A root program from
 * before there was such a map has none, and nothing to fill in. `uplinks`: all of the node.
 */
export function uplinkKnown(host: Host, device: string, uplinks: readonly string[]): Part {
  const { loader, paths } = host;
  const pin = rootMap(paths, "uplinks");
  const row = async () => {
    const link = await findLink(host, device);
    return link && rowOf(link);
  };
  const remove = async ({ key }: MapEntry) => tolerating(["ENOENT"], loader.deleteFromMap(pin, [key]));
  /** Of devices that are gone, and of which others may have the numbers now. */
  const removeStrays = async () => {
    const rows = (await allLinks(host)).map(rowOf);
    const isOfOne = (key: Buffer, value: Uint8Array | undefined) =>
      rows.some(
        (row) => key.equals(row.key) && value !== undefined && Buffer.compare(value, row.value) === 0,
      );
    for (const { key, values } of await loader.dumpMap(pin))
      if (!isOfOne(key, values[0])) await tolerating(["ENOENT"], loader.deleteFromMap(pin, [key]));
  };
  const isSlow = async () => (await whySlow(host, uplinks)) !== null;
  return {
    name: `uplink ${device} known to XDP`,
    // An uplink that comes later has no XDP at first, and so no row is missing.
    ours: true,
    present: async () => {
      if (!existsSync(pin)) return existsSync(paths.bpf("root", "prog_tidegate_root"));
      const own = await row();
      if (!own) return false;
      const [found] = await loader.lookupMap(pin, [own.key]);
      return (await isSlow()) ? found === undefined : found?.[0]?.equals(own.value) === true;
    },
    up: async () => {
      const own = await row();
      if (!own || !existsSync(pin)) return;
      await removeStrays();
      if (await isSlow()) await remove(own);
      else await loader.updateMap(pin, [own]);
    },
    down: async () => {
      const own = await row();
      if (own && existsSync(pin)) await remove(own);
    },
  };
}

/**
 * A veth's driver leaves what it sends back (XDP_TX) lying at a far end without an XDP program of its own, until some other frame wakes
 * that one (veth_xdp_flush of drivers/net/veth.c); what the kernel brings it is taken.
 */
function rowOf({ index, mac, kind }: Link): MapEntry {
  return uplinkRow(index, mac, kind !== "veth");
}

/**
 * Why no packet is sent on from XDP here, whatever policies say; null: it may be. Native XDP sends by ndo_xdp_xmit or by itself,
 * which devices with generic XDP need not be able to; and generic XDP meets packets that GRO merged, which nothing cuts up behind it
 * (generic_xdp_tx). XDP of a bond runs on its members (bond_xdp_set of drivers/net/bonding): packets come by those, which are no
 * uplinks. What a filter of sources drops, the loose one too (RFC 3704), only the kernel's own routing knows.
 */
export async function whySlow(host: Host, uplinks: readonly string[]): Promise<string | null> {
  for (const device of uplinks) {
    const mode = await xdpMode(host, device);
    if (mode !== "native") return `${device} has ${mode ?? "no"} XDP`;
    if ((await findLink(host, device))?.kind === "bond") return `${device} is a bond`;
  }
  for (const device of ["all", ...uplinks]) {
    const value = await filtering(device);
    if (value !== "0") return `net.ipv4.conf.${device}.rp_filter is ${value ?? "unknown"}`;
  }
  return null;
}

/** null: the device has just gone. */
async function filtering(device: string): Promise<string | null> {
  return orIfMissing(readSysctl(`net/ipv4/conf/${device}/rp_filter`), null);
}

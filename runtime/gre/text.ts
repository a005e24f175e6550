import { type Bundle, bundleText } from "../bundle.js";
import { readLines, readTunnel } from "../netlink/lines.js";
import type { Request } from "../netlink/network.js";
import type { TunnelDevice, TunnelDeviceType } from "../netlink/tunnel.js";
import { familyOf } from "../prefix.js";
import type { TunnelRow } from "./driver.js";

/** What makes a tunnel's device, with this node's anycast address in it. */
export async function tunnelText(
  bundle: Bundle,
  tunnel: TunnelRow,
  kind: TunnelRow["kind"] | "veth",
  anycast: string,
): Promise<readonly Request[]> {
  const text = await bundleText(bundle, `route/${bundle.manifest.customer}.${tunnel.name}.${kind}.ip`);
  return readLines(withSource(text, anycast));
}

function withSource(text: string, anycast: string): string {
  return text.replaceAll(/\$anycast[46]/g, anycast);
}

/** The tunnel's device of the kernel's, as it stands in the customer's namespace. */
export async function deviceMeant(
  bundle: Bundle,
  { name, kind, device }: TunnelRow,
  anycast: string,
): Promise<TunnelDevice> {
  const file = `route/${bundle.manifest.customer}.${name}.${kind}.ip`;
  const lines = (await bundleText(bundle, file)).split("\n");
  const made = lines.find((line) => line.startsWith("link add ")) ?? "";
  return { ...readTunnel(withSource(made, anycast)), name: device };
}

/** The kind of the kernel's device for such a tunnel, which `src/targets/route` writes. */
export function deviceType({ kind, remote }: TunnelRow): TunnelDeviceType {
  return DEVICE_TYPES[kind][familyOf(remote)];
}

const DEVICE_TYPES = {
  gre: { 4: "gre", 6: "ip6gre" },
  ipip: { 4: "sit", 6: "ip6tnl" },
} as const satisfies Record<TunnelRow["kind"], Record<4 | 6, TunnelDeviceType>>;

/** What brings it up, in the customer's namespace. */
export async function upText(bundle: Bundle, tunnel: TunnelRow): Promise<readonly Request[]> {
  return readLines(await bundleText(bundle, `route/${bundle.manifest.customer}.${tunnel.name}.up.ip`));
}

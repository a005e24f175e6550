import { type Bundle, bundleText } from "../bundle.js";
import { readLines } from "../netlink/lines.js";
import type { Request } from "../netlink/network.js";
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

/** What gives a device that is up, in the customer's namespace, the parameters that the bundle says. */
export async function changedText(
  bundle: Bundle,
  { name, kind, device }: TunnelRow,
  anycast: string,
): Promise<readonly Request[]> {
  const text = await bundleText(bundle, `route/${bundle.manifest.customer}.${name}.${kind}.ip`);
  const made = text.split("\n").filter((line) => line.startsWith("link add "));
  const changed = made.map((line) => line.replace(/^link add dev \S+/, `link change dev ${device}`));
  return readLines(withSource(changed.join("\n"), anycast));
}

/** What brings it up, in the customer's namespace. */
export async function upText(bundle: Bundle, tunnel: TunnelRow): Promise<readonly Request[]> {
  return readLines(await bundleText(bundle, `route/${bundle.manifest.customer}.${tunnel.name}.up.ip`));
}

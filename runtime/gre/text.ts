import { type Bundle, bundleText } from "../bundle.js";
import { readLines } from "../netlink/lines.js";
import type { Request } from "../netlink/network.js";
import type { TunnelRow } from "./driver.js";

/** What makes a tunnel's device, with this node's anycast address in it. */
export async function tunnelText(
  bundle: Bundle,
  tunnel: TunnelRow,
  kind: "gre" | "veth",
  anycast: string,
): Promise<readonly Request[]> {
  const text = await bundleText(bundle, `route/${bundle.manifest.customer}.${tunnel.name}.${kind}.ip`);
  return readLines(text.replaceAll("$anycast4", anycast));
}

/** What brings it up, in the customer's namespace. */
export async function upText(bundle: Bundle, tunnel: TunnelRow): Promise<readonly Request[]> {
  return readLines(await bundleText(bundle, `route/${bundle.manifest.customer}.${tunnel.name}.up.ip`));
}

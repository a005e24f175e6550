import { type Bundle, bundleText } from "../bundle.js";
import { batchLines } from "../ip.js";
import type { TunnelRow } from "./driver.js";

/** The lines of ip(8) that make a tunnel's device, with this node's anycast address in them. */
export async function tunnelText(
  bundle: Bundle,
  tunnel: TunnelRow,
  kind: "gre" | "veth",
  anycast: string,
): Promise<readonly string[]> {
  const text = await bundleText(bundle, `route/${bundle.manifest.customer}.${tunnel.name}.${kind}.ip`);
  return batchLines(text.replaceAll("$anycast4", anycast));
}

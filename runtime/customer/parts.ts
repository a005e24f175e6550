import type { NodeConfig } from "../../src/targets/manifest.js";
import type { Bundle } from "../bundle.js";
import type { GreDriver } from "../gre/driver.js";
import type { Host } from "../host.js";
import { packetsApart } from "../node/apart.js";
import { rootProgramOn } from "../node/root-program.js";
import type { Part } from "../steps.js";
import { anycast4 } from "./change.js";
import { hopProgramOn } from "./hops.js";
import { linkPart } from "./link.js";
import { namespacePart } from "./namespace.js";

/** What a customer has, whatever its generation: namespace and link. */
export function customerParts(host: Host, { manifest }: Bundle, node: NodeConfig): readonly Part[] {
  return [
    namespacePart(host, manifest, node),
    linkPart(host, manifest, node),
    hopProgramOn(host, manifest.link),
    // So that what one customer sends to another's prefix is judged like any other packet.
    rootProgramOn(host, manifest.link),
    packetsApart(host, manifest.link),
  ];
}

/** A bundle's tunnels by name. Without an IPv4 anycast address there is none: see `requireTunnels`. */
export function tunnelParts(gre: GreDriver, bundle: Bundle, node: NodeConfig): ReadonlyMap<string, Part> {
  const anycast = anycast4(node);
  const rows = anycast === undefined ? [] : bundle.manifest.tunnels;
  return new Map(rows.map((row) => [row.name, gre.tunnel(bundle, row, anycast ?? "")]));
}

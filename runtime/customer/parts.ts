import type { NodeConfig } from "../../src/targets/manifest.js";
import type { Bundle } from "../bundle.js";
import type { GreDriver } from "../gre/driver.js";
import type { Host } from "../host.js";
import { packetsApart } from "../node/apart.js";
import { rootProgramOn } from "../node/root-program.js";
import type { Part } from "../steps.js";
import { outerSource } from "./change.js";
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

/** A bundle's tunnels by name. Without an anycast address of its family there is none: see `requireTunnels`. */
export function tunnelParts(gre: GreDriver, bundle: Bundle, node: NodeConfig): ReadonlyMap<string, Part> {
  return new Map(
    bundle.manifest.tunnels.flatMap((row) => {
      const source = outerSource(node, row.remote);
      return source === undefined ? [] : [[row.name, gre.tunnel(bundle, row, source)] as const];
    }),
  );
}

import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import type { Bundle } from "../bundle.js";
import type { Part } from "../steps.js";

/** What makes a tunnel: whether its router lives is no matter of the device. */
export type TunnelRow = Omit<Manifest["tunnels"][number], "health">;

/** Packets and bytes of the inner packets. */
export interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}

/** A tunnel of a customer in force, as it stands on the node. */
export interface StandingTunnel {
  readonly namespace: string;
  readonly row: TunnelRow;
  readonly anycast: string;
}

export interface Before {
  readonly row: TunnelRow;
  readonly anycast: string;
}

/** What a tunnel did, seen from the edge: sent to the customer, received from it. */
export interface TunnelTraffic {
  readonly sent: Traffic;
  readonly received: Traffic;
  readonly dropped: Traffic;
}

/** What of a node's description matters: `anycast` are the addresses that tunnels end at. */
export type GreNode = Pick<NodeConfig, "uplinks" | "anycast">;

/** One way to do tunnels. All put the same bytes on the wire. */
export interface GreDriver {
  readonly name: "kernel" | "ebpf";
  /** What the driver needs once on a node. `standing`: the tunnels that what is made anew has to carry from its beginning. */
  nodeParts(node: GreNode, standing: readonly StandingTunnel[]): readonly Part[];
  /** A tunnel of a bundle, with its device in the customer's namespace. `anycast` is its outer source, of the remote's family. */
  tunnel(bundle: Bundle, tunnel: TunnelRow, anycast: string): Part;
  /**
   * Makes the device of this name, if it is there, the tunnel that the bundle says, where it stands: no packet to it is lost.
   * `before`: what it was, as far as is known.
   */
  alter(bundle: Bundle, tunnel: TunnelRow, anycast: string, before: Before): Promise<void>;
  traffic(manifest: Pick<Manifest, "namespace">, tunnel: TunnelRow): Promise<TunnelTraffic>;
}

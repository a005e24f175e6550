import type { NodeConfig } from "../../src/targets/manifest.js";
import type { Bundle } from "../bundle.js";
import { failure } from "../failures.js";
import type { GreDriver } from "../gre/driver.js";
import type { Host } from "../host.js";
import { familyOf } from "../prefix.js";
import type { LoadedCustomer } from "../state.js";

/** One customer's change from the generation that is loaded (if any) to that of `bundle`. */
export interface Change {
  readonly host: Host;
  readonly node: NodeConfig;
  readonly gre: GreDriver;
  readonly bundle: Bundle;
  readonly generation: number;
  readonly slot: number;
  readonly previous: Previous | undefined;
  /** Something of what is loaded was missing: nothing of it is trusted to be whole. */
  readonly mend: boolean;
  /** The other customers of the node. */
  readonly others: readonly LoadedCustomer[];
}

/** What is loaded now; undone to when the change fails. */
export interface Previous extends LoadedCustomer {
  /** The runtime's own copy of its bundle. */
  readonly bundle: Bundle;
  /** The node as it was when this was loaded. */
  readonly node: NodeConfig;
}

/** The outer source of a tunnel to this address: the node's own of the same family, if it has one. */
export function outerSource({ anycast }: NodeConfig, remote: string): string | undefined {
  return anycast.find((address) => familyOf(address) === familyOf(remote));
}

/** All that the node must offer for the bundle's tunnels. */
export function requireTunnels({ manifest }: Bundle, node: NodeConfig): void {
  for (const { name: tunnel, remote } of manifest.tunnels) {
    if (outerSource(node, remote) !== undefined) continue;
    const hint = "add one to `anycast` of the node, the same on every server";
    throw failure("TG5027", { family: `${familyOf(remote)}`, tunnel, remote }, hint);
  }
}

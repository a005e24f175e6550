import type { NodeConfig } from "../../src/targets/manifest.js";
import type { Bundle } from "../bundle.js";
import { failure } from "../failures.js";
import type { GreDriver } from "../gre/driver.js";
import type { Host } from "../host.js";
import { addressBytes } from "../prefix.js";
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

/** The outer source of the tunnels. */
export function anycast4(node: NodeConfig): string | undefined {
  return node.anycast.find((address) => addressBytes(address)?.length === 4);
}

/** All that the node must offer for the bundle's tunnels. */
export function requireTunnels({ manifest }: Bundle, node: NodeConfig): void {
  for (const { name: tunnel, remote } of manifest.tunnels) {
    if (addressBytes(remote)?.length !== 4) {
      const hint = "give the IPv4 address of the customer's router; its tunnel carries IPv6 all the same";
      throw failure("TG9009", { tunnel, problem: `GRE over IPv6 (to ${remote}) is not supported` }, hint);
    }
    if (anycast4(node) === undefined) {
      const problem = "the node has no IPv4 anycast address to send from";
      throw failure("TG9009", { tunnel, problem }, "add one to `anycast` of the node");
    }
  }
}

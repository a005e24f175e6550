import { stat } from "node:fs/promises";
import { namespaceFile } from "../command.js";
import type { Host } from "../host.js";
import { EDGE } from "../node/constants.js";
import { readCustomers } from "../state.js";
import type { Watcher } from "./watcher.js";

export interface FirewallsToWatch {
  /** None: all that there are. */
  readonly customers: readonly string[];
  /** Of so many packets, one. */
  readonly sample: number;
}

/** Of each firewall: more traces a second nobody reads, and they cost. */
const PER_SECOND = 250;

/** Customers' firewalls that are looked into, as customers come and go. */
export class Firewalls {
  readonly #host: Host;
  readonly #watcher: Watcher;
  readonly #wanted: FirewallsToWatch;
  /** By customer: its namespace, and which one of that name it is. */
  readonly #traced = new Map<string, { readonly namespace: string; readonly inode: number }>();

  constructor(host: Host, watcher: Watcher, wanted: FirewallsToWatch) {
    this.#host = host;
    this.#watcher = watcher;
    this.#wanted = wanted;
  }

  /** Lets go of namespaces that are gone, which would stay as long as they are held, and looks into new ones. */
  async follow(): Promise<void> {
    for (const [customer, { namespace, inode }] of this.#traced) {
      if ((await inodeOf(namespace)) === inode) continue;
      this.#traced.delete(customer);
      await this.#watcher.endTraces(customer);
    }
    const { customers } = this.#wanted;
    for (const { customer, manifest } of await readCustomers(this.#host.paths)) {
      const isWanted = customers.length === 0 || customers.includes(customer);
      if (isWanted && !this.#traced.has(customer)) await this.#begin(customer, manifest.namespace);
    }
  }

  async #begin(customer: string, namespace: string): Promise<void> {
    const inode = await inodeOf(namespace);
    if (inode === null) return;
    await this.#watcher.watchTraces(customer, namespaceFile(namespace), tracingTable(this.#wanted.sample));
    this.#traced.set(customer, { namespace, inode });
  }
}

async function inodeOf(namespace: string): Promise<number | null> {
  const found = await stat(namespaceFile(namespace)).catch(() => undefined);
  return found?.ino ?? null;
}

/**
 * Has the kernel tell of what nftables does with some of the packets to the customer, from before its firewall on, be that
 * before or behind reassembly. It decides nothing and counts nothing, and with `flags owner` goes with who watches.
 */
function tracingTable(sample: number): string {
  const turn = sample === 1 ? "" : `numgen inc mod ${sample} 0 `;
  return `table inet tidegate-watch {
	flags owner
	chain prerouting {
		type filter hook prerouting priority -451; policy accept;
		iifname "${EDGE}" ${turn}limit rate ${PER_SECOND}/second burst ${PER_SECOND} packets meta nftrace set 1
	}
}
`;
}

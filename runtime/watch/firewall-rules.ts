import { namespaceFile } from "../command.js";
import type { Host } from "../host.js";
import { NFT_TABLE } from "../node/constants.js";
import type { Step } from "./journeys.js";

/** A rule as nft lists it: by its comment Tidegate knows what it belongs to, and by its counter what it is for. */
interface ListedRule {
  readonly handle: number;
  readonly comment?: string;
  readonly expr: readonly { readonly counter?: unknown }[];
}

export interface FirewallRule {
  /** The policy's rule, or `default`; null: it belongs to none. */
  readonly name: string | null;
  /** The counter that it counts with, if it has one. */
  readonly counter: string | null;
}

/** The rules of customers' firewalls by chain and handle, asked for when a packet has met them. The kernel uses no handle twice. */
export class FirewallRules {
  readonly #host: Pick<Host, "loader">;
  readonly #chains = new Map<string, ReadonlyMap<bigint, FirewallRule>>();

  constructor(host: Pick<Host, "loader">) {
    this.#host = host;
  }

  /** The first of the steps that has a name, or else the first one; undefined where the firewall has changed since. */
  async deciding(namespace: string, steps: readonly Step[]): Promise<FirewallRule | undefined> {
    let first: FirewallRule | undefined;
    for (const step of steps) {
      const rule = await this.#rule(namespace, step);
      if (rule?.name) return rule;
      first ??= rule;
    }
    return first;
  }

  async #rule(namespace: string, { chain, handle }: Step): Promise<FirewallRule | undefined> {
    const key = `${namespace} ${chain}`;
    const known = this.#chains.get(key)?.get(handle);
    if (known) return known;
    const listed = await this.#list(namespace, chain);
    this.#chains.set(key, listed);
    return listed.get(handle);
  }

  async #list(namespace: string, chain: string): Promise<ReadonlyMap<bigint, FirewallRule>> {
    const text = `list chain ${NFT_TABLE} ${chain}`;
    const request = { namespace: namespaceFile(namespace), text, json: true };
    const listing = await this.#host.loader.nft(request).catch(() => '{"nftables":[]}');
    const { nftables } = JSON.parse(listing) as { nftables: readonly { rule?: ListedRule }[] };
    return new Map(nftables.flatMap(({ rule }) => (rule ? [[BigInt(rule.handle), ruleOf(rule)]] : [])));
  }
}

function ruleOf({ comment, expr }: ListedRule): FirewallRule {
  const counter = expr.map((one) => one.counter).find((one) => typeof one === "string");
  return { name: comment ?? null, counter: counter ?? null };
}

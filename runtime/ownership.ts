import type { Manifest, NodeConfig } from "../src/targets/manifest.js";
import { failure } from "./failures.js";
import {
  addressBytes,
  contains,
  familyOf,
  type Prefix,
  parsePrefix,
  parsePrefixes,
  sameBlock,
} from "./prefix.js";

/** What another customer that is loaded on the node holds. */
type Holder = Pick<Manifest, "customer" | "namespace" | "link" | "prefixes" | "tunnels">;

/**
 * May this customer have what its bundle asks for? Throws TG5006 to TG5009, TG5011, TG5026 or TG5028 if not. Of several grants that hold
 * a prefix the longest counts: who was given a part of another's prefix has it alone.
 */
export function checkOwnership(manifest: Manifest, node: NodeConfig, loaded: readonly Holder[]): void {
  const { customer } = manifest;
  if (!Object.hasOwn(node.owners, customer)) {
    const known = Object.keys(node.owners).sort().join(", ");
    throw failure("TG5006", { customer }, `add it to \`owners\` of the node; known are: ${known || "none"}`);
  }
  const others = loaded.filter((holder) => holder.customer !== customer);
  for (const prefix of parsePrefixes(manifest.prefixes)) {
    const owners = longestGrants(prefix, node);
    if (!owners.includes(customer)) {
      const to = owners.length > 0 ? `it is granted to \`${owners.join("`, `")}\`` : "nobody was granted it";
      throw failure("TG5007", { customer, prefix: prefix.text }, `${to}: see \`owners\` of the node`);
    }
    const other = others.find(({ prefixes }) =>
      parsePrefixes(prefixes).some((held) => sameBlock(held, prefix)),
    );
    if (other)
      throw failure("TG5008", { prefix: prefix.text, other: other.customer }, "remove it there first");
  }
  checkKernelNames(manifest, others);
  checkEndpoints(manifest, others);
  checkRemotes(manifest, others);
  checkNotOwn(manifest, node);
}

/** Two customers' names can meet where they are hashes, or were shortened to what the kernel allows. */
function checkKernelNames(manifest: Manifest, others: readonly Holder[]): void {
  const wanted = new Set(kernelNames(manifest));
  for (const other of others) {
    const name = kernelNames(other).find((held) => wanted.has(held));
    if (name !== undefined) throw failure("TG5009", { name, other: other.customer }, "rename the customer");
  }
}

function kernelNames({ namespace, link, tunnels }: Holder): readonly string[] {
  return [namespace, link, ...tunnels.map(({ peer }) => peer)];
}

/** All tunnels of a node have one outer source of a family, so kind, remote and key alone say whose an arriving packet is. */
function checkEndpoints(manifest: Manifest, others: readonly Holder[]): void {
  const wanted = new Map<string, string>();
  const refuse = (tunnel: string, other: string, theirs: string) =>
    failure("TG5011", { tunnel, other, theirs }, "give one of them another `key`, at both ends");
  for (const tunnel of manifest.tunnels) {
    const own = wanted.get(endpointOf(tunnel));
    if (own !== undefined) throw refuse(tunnel.name, manifest.customer, own);
    wanted.set(endpointOf(tunnel), tunnel.name);
  }
  for (const { customer, tunnels } of others) {
    for (const theirs of tunnels) {
      const own = wanted.get(endpointOf(theirs));
      if (own !== undefined) throw refuse(own, customer, theirs.name);
    }
  }
}

function endpointOf({ kind, remote, key }: Holder["tunnels"][number]): string {
  // IPv6 addresses can be spelled in many ways.
  const end = familyOf(remote) === 4 ? remote : addressBytes(remote)?.join(".");
  return `${kind} ${end} ${key}`;
}

/** What goes to a customer's prefix comes back to the edge, as that customer's packet. */
function checkRemotes(manifest: Manifest, others: readonly Holder[]): void {
  refuseInside(manifest, manifest);
  for (const other of others) {
    refuseInside(manifest, other);
    refuseInside(other, manifest);
  }
}

function refuseInside({ customer, tunnels }: Holder, other: Holder): void {
  const prefixes = parsePrefixes(other.prefixes);
  for (const { name: tunnel, remote } of tunnels) {
    const host = parsePrefix(`${remote}/${familyOf(remote) === 4 ? 32 : 128}`);
    const around = host && prefixes.find((prefix) => contains(prefix, host));
    if (!around) continue;
    const params = { remote, customer, tunnel, prefix: around.text, other: other.customer };
    throw failure("TG5026", params, "give an address of the router that is in no customer's prefix");
  }
}

/** What goes to the anycast address ends on this server. */
function checkNotOwn({ tunnels }: Manifest, { anycast }: NodeConfig): void {
  const own = new Set(anycast.map((address) => addressBytes(address)?.join(".")));
  const looped = tunnels.find(({ remote }) => own.has(addressBytes(remote)?.join(".")));
  if (looped) throw failure("TG5028", { remote: looped.remote, tunnel: looped.name });
}

/** Who was granted the longest prefix that holds `prefix`. */
function longestGrants(prefix: Prefix, node: NodeConfig): readonly string[] {
  let [longest, customers]: [number, string[]] = [-1, []];
  for (const [customer, texts] of Object.entries(node.owners)) {
    for (const grant of parsePrefixes(texts)) {
      if (grant.length < longest || !contains(grant, prefix)) continue;
      if (grant.length > longest) [longest, customers] = [grant.length, []];
      customers.push(customer);
    }
  }
  return customers;
}

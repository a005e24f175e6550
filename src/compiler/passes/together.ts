import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { formatAddress, formatPrefix, prefixContainsAddress } from "../ir/address.js";
import type { EdgeNode } from "../ir/edge.js";
import type { Policy, Tunnel } from "../ir/policy.js";

/** A policy, and where to report what is wrong with it. */
export interface Checked {
  readonly policy: Policy;
  readonly diagnostics: Diagnostics;
}

/**
 * Warns of what an edge server would refuse if all of these were to run on it. Policies of one customer are no two customers': of
 * these it runs one.
 */
export function reportTogether(all: readonly Checked[], edges: readonly EdgeNode[]): void {
  const byEndpoint = new Map<string, readonly Owned[]>();
  for (const { policy, diagnostics } of all) {
    for (const tunnel of policy.tunnels) {
      const same = byEndpoint.get(endpointOf(tunnel)) ?? [];
      byEndpoint.set(endpointOf(tunnel), [...same, { policy, tunnel }]);
      reportSame({ policy, tunnel }, same, diagnostics);
      reportInside({ policy, tunnel }, all, diagnostics);
      reportOwn(tunnel, edges, diagnostics);
    }
  }
}

interface Owned {
  readonly policy: Policy;
  readonly tunnel: Tunnel;
}

function endpointOf({ kind, remote, key }: Tunnel): string {
  return `${kind} ${formatAddress(remote)} ${key}`;
}

function reportSame({ policy, tunnel }: Owned, earlier: readonly Owned[], diagnostics: Diagnostics): void {
  const other = earlier.find((one) => one.policy.customer !== policy.customer);
  if (!other) return;
  const params = { tunnel: tunnel.name, other: other.tunnel.name, customer: other.policy.customer };
  const related = [{ span: other.tunnel.span, text: "the other tunnel" }];
  diagnostics.report("TG3031", tunnel.span, params, { related });
}

function reportInside({ policy, tunnel }: Owned, all: readonly Checked[], diagnostics: Diagnostics): void {
  for (const other of all) {
    const { customer, prefixes } = other.policy;
    const own = prefixes.find(({ prefix }) => prefixContainsAddress(prefix, tunnel.remote));
    if (!own || customer === policy.customer) continue;
    const remote = formatAddress(tunnel.remote);
    const params = { remote, tunnel: tunnel.name, prefix: formatPrefix(own.prefix), customer };
    diagnostics.report("TG3032", tunnel.span, params, { related: [{ span: own.span, text: "the prefix" }] });
  }
}

function reportOwn(
  { name, remote, span }: Tunnel,
  edges: readonly EdgeNode[],
  diagnostics: Diagnostics,
): void {
  const isOwn = edges.some(({ anycast }) => anycast[remote.family]?.value === remote.value);
  if (isOwn) diagnostics.report("TG3033", span, { remote: formatAddress(remote), tunnel: name });
}

import { invariant } from "../../compiler/diagnostics/invariant.js";
import { formatAddress } from "../../compiler/ir/address.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Manifest } from "../manifest.js";
import { tunnelDevice, tunnelPeer } from "../names.js";

export type TunnelRow = Manifest["tunnels"][number];

/** The tunnels as the manifest lists them, in the policy's order. */
export function tunnels(policy: Policy): readonly TunnelRow[] {
  return policy.tunnels.map((tunnel) => {
    const { name, remote, ttl, mtu, key, health } = tunnel;
    invariant(remote.family === 4, `the outer header of tunnel ${name} is IPv4`);
    return {
      name,
      device: tunnelDevice(endpointOf(tunnel)),
      peer: tunnelPeer(policy.customer, endpointOf(tunnel)),
      remote: formatAddress(remote),
      ttl,
      mtu,
      key,
      ...(health && { health: { ...health, target: formatAddress(health.target) } }),
    };
  });
}

/** The device of the tunnel of this name. */
export function deviceOf({ tunnels }: Policy, name: string): string {
  const tunnel = tunnels.find((one) => one.name === name);
  invariant(tunnel !== undefined, `the names pass found tunnel ${name}`);
  return tunnelDevice(endpointOf(tunnel));
}

/** What tells a node's tunnels apart: no two may have the same. */
function endpointOf({ remote, key }: Policy["tunnels"][number]): string {
  return `${formatAddress(remote)} ${key ?? "without a key"}`;
}

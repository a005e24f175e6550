import { invariant } from "../../compiler/diagnostics/invariant.js";
import { formatAddress } from "../../compiler/ir/address.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Manifest } from "../manifest.js";
import { tunnelDevice, tunnelPeer } from "../names.js";

export type TunnelRow = Manifest["tunnels"][number];

/** The tunnels as the manifest lists them, in the policy's order. */
export function tunnels(policy: Policy): readonly TunnelRow[] {
  return policy.tunnels.map(({ name, remote, ttl, mtu, key, health }) => {
    invariant(remote.family === 4, `the outer header of tunnel ${name} is IPv4`);
    return {
      name,
      device: tunnelDevice(name),
      peer: tunnelPeer(policy.customer, name),
      remote: formatAddress(remote),
      ttl,
      mtu,
      key,
      ...(health && { health: { ...health, target: formatAddress(health.target) } }),
    };
  });
}

import { invariant } from "../../compiler/diagnostics/invariant.js";
import { formatAddress } from "../../compiler/ir/address.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Manifest } from "../manifest.js";
import { tunnelDevice, tunnelPeer } from "../names.js";

export type TunnelRow = Manifest["tunnels"][number];

/** The tunnels as the manifest lists them, in the policy's order. */
export function tunnels(policy: Policy): readonly TunnelRow[] {
  return policy.tunnels.map((tunnel) => {
    const { name, kind, remote, ttl, mtu, key, dscp, df, health } = tunnel;
    return {
      name,
      device: tunnelDevice(tunnel),
      peer: tunnelPeer(policy.customer, tunnel),
      kind,
      remote: formatAddress(remote),
      ttl,
      mtu,
      key,
      dscp,
      df,
      ...(health && { health: { ...health, target: formatAddress(health.target) } }),
    };
  });
}

/** The device of the tunnel of this name. */
export function deviceOf({ tunnels }: Policy, name: string): string {
  const tunnel = tunnels.find((one) => one.name === name);
  invariant(tunnel !== undefined, `the names pass found tunnel ${name}`);
  return tunnelDevice(tunnel);
}

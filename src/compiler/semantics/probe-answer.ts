import { type Policy, PROBE_MAGIC, privateTargets } from "../ir/policy.js";
import type { Packet } from "./decode.js";

/** Types of ICMP (RFC 792) and ICMPv6 (RFC 4443). */
const ECHO_REPLY = { icmp: 0, icmp6: 129 } as const;
const ICMP_HEADER = 8;

/** Does it answer a probe, from an address that only the customer's tunnels lead to? */
export function isProbeAnswer({ tunnels }: Policy, { source, transport, bytes }: Packet): boolean {
  const { family, value } = source;
  if (transport?.header !== (family === 4 ? "icmp" : "icmp6")) return false;
  const message = bytes.subarray(transport.offset);
  const payload = message.subarray(ICMP_HEADER, ICMP_HEADER + PROBE_MAGIC.length);
  return (
    message[0] === ECHO_REPLY[transport.header] &&
    String.fromCharCode(...payload) === PROBE_MAGIC &&
    privateTargets(tunnels).some((target) => target.family === family && target.value === value)
  );
}

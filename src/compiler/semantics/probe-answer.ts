import { type Policy, PROBE_LENGTH, PROBE_MAGIC, privateTargets } from "../ir/policy.js";
import type { Packet } from "./decode.js";
import { pieceOf } from "./fragments.js";

/** Types of ICMP (RFC 792) and ICMPv6 (RFC 4443). */
const ECHO_REPLY = { icmp: 0, icmp6: 129 } as const;
const ICMP_HEADER = 8;
/** An answer has no options and no extension headers, as the probe had none (RFC 1122, 3.2.2.6). */
const IP_HEADER = { 4: 20, 6: 40 } as const;

/** Can it answer a probe, from an address that only the customer's tunnels lead to? */
export function isProbeAnswer({ tunnels }: Policy, packet: Packet): boolean {
  const { family, source, transport, bytes } = packet;
  if (transport?.header !== (family === 4 ? "icmp" : "icmp6")) return false;
  if (transport.offset !== IP_HEADER[family] || pieceOf(packet) !== null) return false;
  const message = bytes.subarray(transport.offset);
  const payload = message.subarray(ICMP_HEADER, ICMP_HEADER + PROBE_MAGIC.length);
  return (
    message.length === PROBE_LENGTH &&
    message[0] === ECHO_REPLY[transport.header] &&
    String.fromCharCode(...payload) === PROBE_MAGIC &&
    privateTargets(tunnels).some((target) => target.family === family && target.value === source.value)
  );
}

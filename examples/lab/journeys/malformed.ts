import type { Journey, Lab } from "../lab.js";
import { send } from "../packets/send.js";
import { ATTACKER, macOf } from "../topology.js";
import { shoot } from "./single.js";

/** Next header UDP, then a length of 264 bytes where the packet has 8 (RFC 8200, section 4.6). */
const OVERLONG_OPTIONS = "1120000000000000";

export const malformed: Journey = {
  title: "Malformed packets",
  about: "broken headers die in the root program, before any customer's rule",
  travel: async (lab) => [
    // Every router refuses a frame that ends too early, so this one starts on the edge's own link.
    await shoot(lab, {
      packet: `udp ${ATTACKER.v4}:40000 > 203.0.113.100:21 len=1500`,
      cutTo: 28,
      from: besideTheEdge,
    }),
    // Routers do not look at destination options, so this one comes from afar.
    await shoot(lab, {
      packet: `proto=60 ${ATTACKER.v6} > 2001:db8:60b::80 payload=${OVERLONG_OPTIONS}`,
    }),
  ],
};

function besideTheEdge(lab: Lab, packet: Buffer): Promise<unknown> {
  return send(lab.world.host("core"), "edge-1", macOf("edge-1", "uplink0"), [packet]);
}

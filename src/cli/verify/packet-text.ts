import type { Built } from "../../compiler/analysis/packets/build.js";
import { formatPacket } from "../../compiler/semantics/packet-format.js";

/** A VLAN ID has 12 of the 16 bits (802.1Q). */
const VLAN_ID = 0xfff;

/** The packet as `tidegate explain --packet` reads it; a tag without its priority. */
export function packetText({ bytes, surroundings: { vlan } }: Built): string {
  return `${formatPacket(bytes)}${vlan === null ? "" : ` vlan=${vlan & VLAN_ID}`}`;
}

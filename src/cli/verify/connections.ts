import { NFT_VERDICT, Probe } from "../../../runtime/probe-client.js";
import { CT_STATES } from "../../compiler/ir/fields.js";
import type { TestPacket } from "../../verify/packets.js";

/** What the kernel can say of a packet to which no other belongs: nothing here is ever answered. */
const STATES = ["invalid", "untracked"] as const;

/**
 * The packets with what connection tracking says of them, which the reference is told (docs/semantics.md, "A stateful
 * firewall"). The kernel is asked in fresh namespaces, once for each state: packets come in the same order to each.
 */
export async function connectionsOf(packets: readonly TestPacket[]): Promise<readonly TestPacket[]> {
  const asked = await Promise.all(STATES.map((state) => inState(state, packets)));
  return packets.map((packet, index) => {
    const state = STATES.find((_, at) => asked[at]?.[index] === NFT_VERDICT.survived) ?? "new";
    return { ...packet, surroundings: { ...packet.surroundings, connection: CT_STATES[state] } };
  });
}

async function inState(state: string, packets: readonly TestPacket[]): Promise<Uint8Array> {
  const probe = await Probe.start();
  try {
    await probe.nftOpen();
    await probe.nftLoad(
      `table inet tidegate { chain asked {
         type filter hook prerouting priority filter; policy drop; ct state ${state} accept;
       }
       }`,
    );
    return await probe.nftRun(packets.map(({ bytes }) => bytes));
  } finally {
    await probe.close();
  }
}

/**
 * What Tidegate calls its own in the node's default namespace. 0x5447 is "TG"; 21575 is the same in decimal.
 */

/**
 * Mark of packets to customers: in its upper half, the lower is left to others. Behind the bits that say so comes the
 * packet's stamp (bpf-templates/stamp.h).
 */
export const MARK = 0x5440_0000;
export const MARK_MASK = 0xfff0_0000;
export const MARK_OTHERS = 0x0000_ffff;
const MARK_STAMP = 16;

/** Stamps are 1 to this; 0 is none. An even number, so that generations take turns also where they begin anew. */
export const STAMPS = 14;

/**
 * The stamp of the packets that a generation judges. Its number comes again after many changes, long after the last packet
 * that bears it has left the node.
 */
export function stampOf(generation: number): number {
  return 1 + (generation % STAMPS);
}

/** Which of the two places of a customer a generation has: one is in force while the other is filled. */
export function turnOf(generation: number): 0 | 1 {
  return stampOf(generation) % 2 === 0 ? 0 : 1;
}

/** The Ethernet source address of a packet with this stamp. */
export function stampAddress(stamp: number): string {
  return `02:54:47:01:00:${hex(stamp).slice(2).padStart(2, "0")}`;
}

/** The mark of a packet with this stamp, without what is others'. */
export function stampMark(stamp: number): number {
  return MARK + stamp * 2 ** MARK_STAMP;
}

export function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

/** Routing table with a route for each customer's prefix, and the priority of the rule that leads there. */
export const ROUTING_TABLE = 21575;
export const RULE_PRIORITY = 21575;

/** The nft table, in the default namespace for marking and in each customer's for its firewall. */
export const NFT_TABLE = "inet tidegate";

/** Both ends of every customer's link. The same everywhere: each link is a world of its own. */
export const LINK_ENDS = {
  node: { mac: "02:54:47:00:00:01", 4: "169.254.84.1", 6: "fe80::1" },
  customer: { mac: "02:54:47:00:00:02", 4: "169.254.84.2", 6: "fe80::2" },
} as const;

/** The customer's end of its link. */
export const EDGE = "edge";

/** Where a customer's program is pinned, among a generation's pins. */
export const CUSTOMER_PROGRAM = "prog_tidegate_customer";

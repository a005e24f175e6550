/**
 * What Tidegate calls its own in the node's default namespace. 0x5447 is "TG"; 21575 is the same in decimal.
 */

/** Mark of packets to customers: the upper half of the word, the lower is left to others. */
export const MARK = "0x54470000";
export const MARK_MASK = "0xffff0000";

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

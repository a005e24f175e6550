import type { Host } from "../host.js";
import type { Family } from "../netlink/network.js";
import { cover, type Prefix } from "../prefix.js";
import type { Part } from "../steps.js";
import { hex, MARK_OTHERS, NFT_TABLE, STAMPS, stampAddress, stampMark } from "./constants.js";

const FAMILIES: readonly Family[] = [4, 6];

const ALL_STAMPS = Array.from({ length: STAMPS }, (_, index) => index + 1);

/** The lower half of the mark is left as it is: others may use it. */
function setMark(stamp: number): string {
  return `meta mark set (meta mark & ${hex(MARK_OTHERS)}) | ${hex(stampMark(stamp))}`;
}

/** A chain for each stamp, as nft 1.0.6 cannot put part of a map's value into the mark. */
const STAMP_CHAINS = ALL_STAMPS.map(
  (stamp) => `	chain stamp_${stamp} {
		${setMark(stamp)}
	}
`,
);
const BY_STAMP = ALL_STAMPS.map((stamp) => `${stampAddress(stamp)} : goto stamp_${stamp}`);

/** A packet that came past the root program has no stamp: it gets 0, by which nobody judges. */
const TABLE = `table ${NFT_TABLE} {
	set customers_4 {
		type ipv4_addr
		flags interval
	}
	set customers_6 {
		type ipv6_addr
		flags interval
	}
${STAMP_CHAINS.join("")}	chain keep_stamp {
		ether saddr vmap { ${BY_STAMP.join(", ")} }
		${setMark(0)}
	}
	chain mark_customers {
		type filter hook prerouting priority mangle
		policy accept
		ip daddr @customers_4 goto keep_stamp
		ip6 daddr @customers_6 goto keep_stamp
	}
}
`;

/**
 * Marks packets to customers' prefixes, so that they are routed by Tidegate's table and no others are; and keeps their stamp,
 * which the frame loses on the way. `marked`: what it marks from its beginning.
 */
export function markingTable({ loader }: Host, marked: readonly Prefix[] = []): Part {
  const nft = (text: string) => loader.nft({ namespace: null, text });
  return {
    name: "marking table",
    present: async () => {
      // Of one table, or of its name alone, nft 1.0.6 reads the elements of all sets, too; of a ruleset it does not.
      const listing = await loader.nft({ namespace: null, text: "list ruleset inet", terse: true });
      return rulesByChain(ownTable(listing)) === rulesByChain(TABLE);
    },
    up: async () =>
      void (await nft(`table ${NFT_TABLE}\ndelete table ${NFT_TABLE}\n${TABLE}${marksOf(marked)}`)),
    down: async () => void (await nft(`table ${NFT_TABLE}\ndelete table ${NFT_TABLE}\n`)),
    staysUp: true,
  };
}

/** Is there a table of this name, whatever is in it? */
export async function isTableThere({ loader }: Pick<Host, "loader">): Promise<boolean> {
  const tables = await loader.nft({ namespace: null, text: "list tables" });
  return tables.split("\n").includes(`table ${NFT_TABLE}`);
}

/** What a listing says of our table, in which all lines are indented; empty where there is none. */
function ownTable(listing: string): string {
  const lines = listing.split("\n");
  const start = lines.indexOf(`table ${NFT_TABLE} {`);
  return start < 0 ? "" : lines.slice(start + 1, lines.indexOf("}", start)).join("\n");
}

/** How many rules each chain of a listing has: nft writes them in other words than we do. */
function rulesByChain(listing: string): string {
  const chains = [...listing.matchAll(/^\s*chain (\S+) \{\n(.*?)^\s*\}$/gms)].map(([, name, body = ""]) => {
    const rules = body.split("\n").filter((line) => !/^\s*((type|policy) .*)?$/.test(line));
    return `${name} ${rules.length}`;
  });
  return chains.sort().join("\n");
}

/** Makes the marked addresses exactly these, in one transaction. */
export async function markPrefixes({ loader }: Host, prefixes: readonly Prefix[]): Promise<void> {
  await loader.nft({ namespace: null, text: marksOf(prefixes) });
}

function marksOf(prefixes: readonly Prefix[]): string {
  // Interval sets refuse elements that overlap, so of nested prefixes only the outermost goes in.
  const texts = FAMILIES.map((family) => {
    const elements = cover(prefixes.filter((prefix) => prefix.family === family)).map(({ text }) => text);
    const set = `${NFT_TABLE} customers_${family}`;
    const add = elements.length > 0 ? `add element ${set} { ${elements.join(", ")} }\n` : "";
    return `flush set ${set}\n${add}`;
  });
  return texts.join("");
}

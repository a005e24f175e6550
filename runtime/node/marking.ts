import type { Host } from "../host.js";
import type { Family } from "../ip.js";
import { cover, type Prefix } from "../prefix.js";
import type { Part } from "../steps.js";
import { MARK, MARK_MASK, NFT_TABLE } from "./constants.js";

const FAMILIES: readonly Family[] = [4, 6];

/** The lower half of the mark is left as it is: others may use it. */
const SET_MARK = `meta mark set (meta mark & ${invert(MARK_MASK)}) | ${MARK}`;

const TABLE = `table ${NFT_TABLE} {
	set customers_4 {
		type ipv4_addr
		flags interval
	}
	set customers_6 {
		type ipv6_addr
		flags interval
	}
	chain mark_customers {
		type filter hook prerouting priority mangle
		policy accept
		ip daddr @customers_4 ${SET_MARK}
		ip6 daddr @customers_6 ${SET_MARK}
	}
}
`;

/** Marks packets to customers' prefixes, so that they are routed by Tidegate's table and no others are. */
export function markingTable({ loader }: Host): Part {
  const nft = (text: string) => loader.nft({ namespace: null, text });
  return {
    name: "marking table",
    present: async () => (await nft("list tables")).split("\n").includes(`table ${NFT_TABLE}`),
    up: async () => void (await nft(`table ${NFT_TABLE}\ndelete table ${NFT_TABLE}\n${TABLE}`)),
    down: async () => void (await nft(`table ${NFT_TABLE}\ndelete table ${NFT_TABLE}\n`)),
  };
}

/** Makes the marked addresses exactly these, in one transaction. */
export async function markPrefixes({ loader }: Host, prefixes: readonly Prefix[]): Promise<void> {
  // Interval sets refuse elements that overlap, so of nested prefixes only the outermost goes in.
  const text = FAMILIES.map((family) => {
    const elements = cover(prefixes.filter((prefix) => prefix.family === family)).map(({ text }) => text);
    const set = `${NFT_TABLE} customers_${family}`;
    const add = elements.length > 0 ? `add element ${set} { ${elements.join(", ")} }\n` : "";
    return `flush set ${set}\n${add}`;
  });
  await loader.nft({ namespace: null, text: text.join("") });
}

function invert(mask: string): string {
  return `0x${(~Number(mask) >>> 0).toString(16).padStart(8, "0")}`;
}

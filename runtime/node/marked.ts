import { Buffer } from "node:buffer";
import { z } from "zod";
import type { Host } from "../host.js";
import { addressBytes, type Prefix } from "../prefix.js";
import { NFT_TABLE } from "./constants.js";

/** Are the marked addresses exactly these? */
export async function marksPrefixes(host: Host, prefixes: readonly Prefix[]): Promise<boolean> {
  for (const family of [4, 6] as const) {
    const own = prefixes.filter((prefix) => prefix.family === family).map(({ text }) => text);
    if (!(await holdsAddresses(host, null, `customers_${family}`, own))) return false;
  }
  return true;
}

/** Are the elements of a set of addresses in our table, in the namespace of this file, exactly these: `A`, `A/LENGTH`, `A-B`? */
export async function holdsAddresses(
  { loader }: Pick<Host, "loader">,
  namespace: string | null,
  set: string,
  addresses: readonly string[],
): Promise<boolean> {
  const json = await loader.nft({ namespace, text: `list set ${NFT_TABLE} ${set}`, json: true });
  const listing = setListing.safeParse(JSON.parse(json));
  // What we never write, such as an element with a comment, is not what should be there.
  if (!listing.success) return false;
  const { nftables } = listing.data;
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  return merged(elements.map(rangeOf)) === merged(addresses.map(rangeOf));
}

/** As libnftables-json(5) writes the elements of an interval set. */
const elementSchema = z.union([
  z.string(),
  z.object({ prefix: z.object({ addr: z.string(), len: z.int() }) }),
  z.object({ range: z.tuple([z.string(), z.string()]) }),
]);
const setListing = z.object({
  nftables: z.array(z.object({ set: z.object({ elem: z.array(elementSchema).optional() }).optional() })),
});

/** First and last address, as numbers. */
type Range = readonly [bigint, bigint];

function rangeOf(element: z.infer<typeof elementSchema>): Range {
  if (typeof element === "string") {
    if (element.includes("/")) return prefixRange(element);
    const [first = "", last = first] = element.split("-");
    return [numberOf(first), numberOf(last)];
  }
  if ("range" in element) return [numberOf(element.range[0]), numberOf(element.range[1])];
  return prefixRange(`${element.prefix.addr}/${element.prefix.len}`);
}

function prefixRange(text: string): Range {
  const [address = "", length = ""] = text.split("/");
  const bits = (addressBytes(address)?.length ?? 0) * 8;
  const first = numberOf(address);
  return [first, first + (1n << BigInt(bits - Number(length))) - 1n];
}

function numberOf(address: string): bigint {
  return BigInt(`0x${Buffer.from(addressBytes(address) ?? [0]).toString("hex")}`);
}

/** The same addresses have the same text, however they are cut into ranges. */
function merged(ranges: readonly Range[]): string {
  const joined: [bigint, bigint][] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const before = joined.at(-1);
    if (before && first <= before[1] + 1n) before[1] = last > before[1] ? last : before[1];
    else joined.push([first, last]);
  }
  return joined.join(" ");
}

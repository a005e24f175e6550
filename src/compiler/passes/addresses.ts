import type { Located } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import {
  ADDRESS_BITS,
  type Address,
  type Family,
  formatPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixContainsAddress,
  prefixRange,
} from "../ir/address.js";
import type { Range } from "../ir/intervals.js";

/** Reads `ADDRESS/LENGTH`. Where host bits are set it goes on with the prefix that was meant, after reporting them. */
export function readPrefix({ value, span }: Located<string>, diagnostics: Diagnostics): Prefix | undefined {
  const parsed = parsePrefix(value);
  switch (parsed.kind) {
    case "prefix":
      return parsed.prefix;
    case "hostBits":
      diagnostics.report(
        "TG2010",
        span,
        { prefix: value },
        { hint: `did you mean ${formatPrefix(parsed.meant)}?` },
      );
      return parsed.meant;
    case "bad": {
      const host = parseAddress(value);
      const hint = host && `for one host write "${value}/${ADDRESS_BITS[host.family]}"`;
      diagnostics.report("TG2011", span, { text: value, wanted: "a prefix" }, { hint });
      return undefined;
    }
  }
}

/** Reads an address without a length. */
export function readAddress({ value, span }: Located<string>, diagnostics: Diagnostics): Address | undefined {
  const address = parseAddress(value);
  if (!address) diagnostics.report("TG2011", span, { text: value, wanted: "an address" });
  return address;
}

/** Reads a member of a list: a prefix, or an address alone. */
export function readMember(
  item: Located<string>,
  diagnostics: Diagnostics,
): { readonly family: Family; readonly range: Range } | undefined {
  const address = parseAddress(item.value);
  if (address) return { family: address.family, range: { low: address.value, high: address.value } };
  if (item.value.includes("/")) {
    const prefix = readPrefix(item, diagnostics);
    return prefix && { family: prefix.family, range: prefixRange(prefix) };
  }
  diagnostics.report("TG2011", item.span, { text: item.value, wanted: "an address or a prefix" });
  return undefined;
}

/** Addresses that are no single host's (IANA's special-purpose registries, RFC 6890), by what to call them. */
const SPECIAL: readonly (readonly [prefix: string, kind: string])[] = [
  ["0.0.0.0/8", "an unspecified address"],
  ["127.0.0.0/8", "a loopback address"],
  ["224.0.0.0/4", "a multicast address"],
  ["240.0.0.0/4", "a reserved address"],
  ["::/127", "an unspecified or loopback address"],
  ["::ffff:0:0/96", "an IPv4-mapped address"],
  ["fe80::/10", "a link-local address"],
  ["ff00::/8", "a multicast address"],
];

/** Reports an address that cannot be an end of a tunnel. */
export function checkHostAddress(
  address: Address,
  { value, span }: Located<string>,
  diagnostics: Diagnostics,
): void {
  for (const [text, kind] of SPECIAL) {
    const parsed = parsePrefix(text);
    if (parsed.kind === "prefix" && prefixContainsAddress(parsed.prefix, address)) {
      diagnostics.report("TG2037", span, { address: value, kind });
    }
  }
}

import { ADDRESS_BITS, type Address, type Family, type Prefix, prefixRange } from "../compiler/ir/address.js";
import type { Expr } from "../compiler/ir/expr.js";
import type { Intervals } from "../compiler/ir/intervals.js";
import type { Policy } from "../compiler/ir/policy.js";

const NEEDS = { 4: { header: "ip4", bytes: 20 }, 6: { header: "ip6", bytes: 40 } } as const;

/** 2.0.0.0 to 126.255.255.255 and 128.0.0.0 to 222.255.255.255; 2001::/16 to 3ffe::/16. */
const UNICAST = {
  4: [
    { low: 2n << 24n, high: (127n << 24n) - 1n },
    { low: 128n << 24n, high: (223n << 24n) - 1n },
  ],
  6: [{ low: 0x2001n << 112n, high: (0x3fffn << 112n) - 1n }],
} as const satisfies Record<Family, Intervals>;

/** The destination lies in the prefix. */
export function destinationIn({ span }: Policy, prefix: Prefix): Expr {
  const { family } = prefix;
  const ranges = [prefixRange(prefix)];
  return { kind: "address", field: "ip.dst", family, ranges, needs: NEEDS[family], span };
}

/** The destination is the address. */
export function destinationIs(policy: Policy, { family, value }: Address): Expr {
  return destinationIn(policy, { family, base: value, length: ADDRESS_BITS[family] });
}

/** As routers pass it on without a second look: from the middle of what is in use as unicast. */
export function sourceIsUnicast({ span }: Policy, family: Family): Expr {
  return { kind: "address", field: "ip.src", family, ranges: UNICAST[family], needs: NEEDS[family], span };
}

/** First and last address, and their neighbours outside. */
export function edgesOfPrefix(prefix: Prefix): readonly bigint[] {
  const { low, high } = prefixRange(prefix);
  const last = prefix.family === 4 ? (1n << 32n) - 1n : (1n << 128n) - 1n;
  return [...new Set([low - 1n, low, high, high + 1n])].filter((value) => value >= 0n && value <= last);
}

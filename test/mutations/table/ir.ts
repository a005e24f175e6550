import { inFile, type Mutation } from "../mutation.js";

/** Sets of numbers, prefixes, and the places of fields: what reference and targets share, so no comparison of them finds it. */
export const IR: readonly Mutation[] = [
  ...inFile(
    "src/compiler/ir/intervals.ts",
    ["properties/semantics-intervals"],
    [
      {
        name: "touching-ranges-stay-apart",
        models: "neighbours that touch are not merged: equal sets differ",
        from: "range.low <= last.high + 1n",
        to: "range.low <= last.high",
      },
      {
        name: "ranges-merge-over-a-gap",
        models: "the number between two ranges gets into the set",
        from: "range.low <= last.high + 1n",
        to: "range.low <= last.high + 2n",
      },
      {
        name: "merging-keeps-the-shorter-range",
        models: "a range inside another one cuts it off",
        from: "high: range.high > last.high ? range.high : last.high",
        to: "high: range.high",
      },
      {
        name: "complement-loses-its-end",
        models: "the largest number is in neither a set nor its complement",
        from: "if (next <= last) gaps.push",
        to: "if (next < last) gaps.push",
      },
      {
        name: "complement-keeps-a-low-end",
        models: "the first number of a range is in its complement, too",
        from: "high: low - 1n });",
        to: "high: low });",
      },
      {
        name: "intersection-is-too-wide",
        models: "two ranges have in common what only one of them holds",
        from: "const high = x.high < y.high ? x.high : y.high;",
        to: "const high = x.high > y.high ? x.high : y.high;",
      },
      {
        name: "a-range-without-its-first-number",
        models: "range end off by one (low)",
        from: "range !== undefined && range.low <= value",
        to: "range !== undefined && range.low < value",
      },
      {
        name: "a-range-without-its-last-number",
        models: "range end off by one (high)",
        from: "(set[middle] as Range).high < value",
        to: "(set[middle] as Range).high <= value",
      },
    ],
  ),
  ...inFile(
    "src/compiler/ir/address.ts",
    ["unit/ir-address"],
    [
      {
        name: "ipv6-mask-one-bit-short",
        models: "IPv6 mask by one bit: a prefix is taken for one twice as long",
        from: "BigInt(ADDRESS_BITS[family] - length)",
        to: "BigInt(ADDRESS_BITS[family] - length + (family === 6 && length > 0 ? 1 : 0))",
      },
      {
        name: "prefix-without-its-last-address",
        models: "the broadcast address is not in the prefix",
        from: "prefix.base | ((1n << host) - 1n)",
        to: "prefix.base | ((1n << host) - (host > 0n ? 2n : 1n))",
        killers: ["unit/docs-semantics"],
      },
      {
        name: "range-to-prefixes-overshoots",
        models: "a list's last prefix reaches behind its last address",
        from: "low + size - 1n > range.high",
        to: "low + size - 2n > range.high",
      },
      {
        name: "a-prefix-holds-shorter-ones",
        models: "whoever owns a part owns the whole",
        from: "outer.length <= inner.length &&",
        to: "outer.length >= 0 &&",
      },
    ],
  ),
  ...inFile(
    "src/compiler/ir/wire.ts",
    ["unit/semantics-fields", "unit/docs-semantics"],
    [
      {
        name: "dscp-read-with-ecn",
        models: "decode of DSCP and ECN shifted",
        from: '"ip4.dscp": { header: "ip4", offset: 8, width: 6 }',
        to: '"ip4.dscp": { header: "ip4", offset: 10, width: 6 }',
      },
      {
        name: "ipv6-traffic-class-read-at-once",
        models: "decode of IPv6's ECN shifted",
        from: '"ip6.ecn": { header: "ip6", offset: 10, width: 2 }',
        to: '"ip6.ecn": { header: "ip6", offset: 8, width: 2 }',
      },
      {
        name: "vlan-priority-in-the-id",
        models: "VLAN id masked wrong: priority and drop eligibility belong to it",
        from: '"eth.vlan": { header: "vlan", offset: 4, width: 12 }',
        to: '"eth.vlan": { header: "vlan", offset: 0, width: 16 }',
      },
      {
        name: "icmp-type-is-code",
        models: "ICMP type and code swapped, everywhere alike",
        from: '"icmp.type": { header: "icmp", offset: 0, width: 8 }',
        to: '"icmp.type": { header: "icmp", offset: 8, width: 8 }',
      },
      {
        name: "udp-length-is-checksum",
        models: "a field two bytes off, everywhere alike",
        from: '"udp.len": { header: "udp", offset: 32, width: 16 }',
        to: '"udp.len": { header: "udp", offset: 48, width: 16 }',
      },
      {
        name: "bytes-needed-rounded-down",
        models: "presence forgotten: a field is read though its last bits are cut off",
        from: "Math.ceil((offset + width) / 8)",
        to: "Math.floor((offset + width) / 8)",
      },
    ],
  ),
];

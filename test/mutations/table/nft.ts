import { inFile, type Mutation } from "../mutation.js";

/** The firewall in nftables, and routes and tunnels as text for ip(8). */
export const NFT: readonly Mutation[] = [
  ...inFile(
    "src/targets/nft/emit.ts",
    ["kernel/semantics-docs", "kernel/nft-rules", "kernel/difftest", "kernel/traps"],
    [
      {
        name: "nft-no-fragment-guard",
        models:
          "wrong fragment check: the guard is out, and this kernel reads later fragments' bytes as ports",
        from: "firewall.stateful ? DROP_FRAGMENTS : SEND_LATER_FRAGMENTS",
        to: "firewall.stateful ? DROP_FRAGMENTS : []",
      },
      {
        name: "nft-first-fragment-is-later",
        models: "wrong fragment check: the flag of the first fragment counts as an offset",
        from: '"ip frag-off & 0x1fff != 0 goto later-fragments"',
        to: '"ip frag-off & 0x3fff != 0 goto later-fragments"',
      },
      {
        name: "nft-stateless-behind-reassembly",
        models: "a stateless firewall stands where datagrams are whole already",
        from: 'firewall.stateful ? "filter" : RAW_BEFORE_DEFRAG',
        to: 'firewall.stateful ? "filter" : -300',
        killers: ["kernel/stateful", "kernel/reassembly"],
      },
      {
        name: "nft-way-back-behind-reassembly",
        models:
          "behind a stateful firewall fragments that a tunnel brings are put together before they are judged",
        from: "if (policy.firewall.stateful) {",
        to: "if (policy.firewall.stateful && policy.tunnels.length < 0) {",
      },
      {
        name: "nft-answers-of-any-length",
        models: "what a private target sends goes out, however long it is, if it begins like an answer",
        from: "ip6 length ${PROBE_LENGTH} ",
        to: "",
      },
      {
        name: "nft-answers-in-fragments",
        models: "a first fragment counts as an answer",
        from: " ip frag-off & 0x3fff == 0",
        to: "",
      },
      {
        name: "nft-spoofed-sources-leave",
        models: "what comes out of a tunnel may have any source",
        from: "counter name ${SPOOFED_COUNTER} drop",
        to: "counter name ${SPOOFED_COUNTER} accept",
        killers: ["kernel/runtime-traffic"],
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/stage.ts",
    ["kernel/semantics-docs", "kernel/nft-rules", "kernel/difftest", "kernel/traps"],
    [
      {
        name: "nft-default-swapped",
        models: "default verdict swapped, in nftables",
        from: "const verdict = verdictText(firewall.default);",
        to: 'const verdict = verdictText(firewall.default === "drop" ? "allow" : "drop");',
      },
      {
        name: "nft-rules-backwards",
        models: "rule order swapped, in nftables",
        from: "for (const rule of rules) emitRule(text, rule);",
        to: "for (const rule of rules.toReversed()) emitRule(text, rule);",
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/words.ts",
    [
      "kernel/nft-rules",
      "kernel/semantics-docs",
      "kernel/difftest",
      "kernel/traps",
      "kernel/fields",
      "kernel/nft-fields",
    ],
    [
      {
        name: "nft-ports-swapped",
        models: "source port for destination port",
        from: '"udp.dstport": "udp dport"',
        to: '"udp.dstport": "udp sport"',
      },
      {
        name: "nft-icmp-type-is-code",
        models: "ICMP type and code swapped, in nftables",
        from: '"icmp.type": "icmp type"',
        to: '"icmp.type": "icmp code"',
      },
      {
        name: "nft-flags-contain",
        models: "flags mask: `tcp.flags == 2` asks for the bit",
        from: 'comparison(ranges, field.width, hexadecimal, "== ")\n',
        to: "comparison(ranges, field.width, hexadecimal)\n",
      },
      {
        name: "nft-all-bits-of-the-mask",
        models: "flags mask: no bit is asked for",
        from: "<< shiftOf(load, field))} != 0`;",
        to: "<< shiftOf(load, field))} == 0`;",
      },
      {
        name: "nft-value-not-shifted",
        models: "swapped byte order: a part of a word compared as if it were the whole",
        from: "hexadecimal({ low: low << shift, high: high << shift })",
        to: "hexadecimal({ low, high })",
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/condition.ts",
    ["kernel/nft-rules", "kernel/semantics-docs", "kernel/difftest", "kernel/traps", "kernel/nft-fields"],
    [
      {
        name: "nft-no-protocol-guard",
        models: "missing protocol guard: raw loads read any protocol",
        from: 'layer === "protocol" || layer === "transport");',
        to: 'layer === "protocol");',
      },
      {
        name: "nft-no-family-guard",
        models: "family mixed up: raw loads of IPv4 read IPv6",
        from: "return family === null || said ? [] : [familyGuard(family)];",
        to: "return family === null || said ? [] : [];",
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/alternatives.ts",
    [
      "kernel/nft-rules",
      "kernel/semantics-docs",
      "kernel/difftest",
      "kernel/traps",
      "kernel/fields",
      "kernel/nft-fields",
    ],
    [
      {
        name: "nft-empty-set-is-any",
        models: "empty set as any, in nftables",
        from: "return test.ranges.length === 0 ? [] : [[addressCondition(test)]];",
        to: "return test.ranges.length === 0 ? [[]] : [[addressCondition(test)]];",
        killers: ["unit/nft-decisions", "unit/nft-emit", "kernel/nft-rules"],
      },
      {
        name: "nft-gre-key-behind-a-checksum-only",
        models: "GRE key place: the routing bit is forgotten, in nftables",
        from: '"{ 0x6000, 0xa000, 0xe000 }"',
        to: '"{ 0xa000, 0xe000 }"',
      },
      {
        name: "nft-payload-of-short-headers-only",
        models: "TCP payload behind the longest options is not found",
        from: "Array.from({ length: 11 }, (_, index) => {",
        to: "Array.from({ length: 10 }, (_, index) => {",
        killers: ["unit/nft-emit", "kernel/nft-fields"],
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/decisions.ts",
    ["unit/nft-decisions", "kernel/nft-rules"],
    [
      {
        name: "nft-not-forgets-the-rest",
        models: "`not` pushed wrongly: what no line mentions keeps its answer",
        from: "otherwise: !otherwise };",
        to: "otherwise };",
      },
      {
        name: "nft-xor-is-one-but-not-the-other",
        models: "`a xor b` is `not a and b`",
        from: "choose(one, opposite(rest), rest)",
        to: "choose(one, NEVER, rest)",
      },
      {
        name: "nft-needed-line-left-out",
        models: "a line that says no is left out though a later one says yes",
        from: "(line.holds === otherwise && fallsThrough())",
        to: "line.holds === otherwise",
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/limits.ts",
    ["kernel/nft-rules", "kernel/difftest", "kernel/actions"],
    [
      {
        name: "nft-limit-burst-one-more",
        models: "limit burst off by one, in nftables",
        from: "burst ${limit.burst} packets",
        to: "burst ${limit.burst + 1n} packets",
      },
      {
        name: "nft-limit-keyed-by-the-wrong-address",
        models: "limit keyed by the destination where the source is asked for, in nftables",
        from: "{ ${addressText(per, family)} ${bucket} }",
        to: '{ ${addressText("ip.dst", family)} ${bucket} }',
      },
      {
        name: "nft-limit-minutes-are-hours",
        models: "limit interval: a rate a minute is one an hour",
        from: 'm: "minute"',
        to: 'm: "hour"',
        killers: ["unit/nft-emit"],
      },
      {
        name: "nft-limit-forgets-too-soon",
        models: "a key is forgotten before its bucket is full again",
        from: "return (interval * burst + second - 1n) / second;",
        to: "return (interval + second - 1n) / second;",
        killers: ["unit/nft-emit"],
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/rules.ts",
    ["kernel/nft-rules", "kernel/difftest", "kernel/actions"],
    [
      {
        name: "nft-count-ends-the-stage",
        models: "`count` is terminal, in nftables",
        from: '${enter === "goto" ? " return" : ""}`',
        to: '${enter === "goto" ? " return" : " accept"}`',
      },
      {
        name: "nft-several-lines-count-twice",
        models: "a packet that two lines of a rule match is counted twice",
        from: 'words(yes(rule, "goto", ending), comment)',
        to: 'words(yes(rule, "jump", ending), comment)',
      },
      {
        name: "nft-comment-ends-early",
        models: "escape of names: a file's name ends the comment in the ruleset",
        from: '.replace(/[^\\w.-]/g, "_")',
        to: "",
        killers: ["unit/nft-emit"],
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/logs.ts",
    ["kernel/actions", "unit/nft-emit"],
    [
      {
        name: "nft-sample-one-more",
        models: "sampling off by one",
        from: "numgen inc mod ${sample} 0 ",
        to: "numgen inc mod ${sample + 1} 0 ",
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/verdicts.ts",
    ["kernel/actions"],
    [
      {
        name: "nft-reject-is-drop",
        models: "`reject` as `drop`: the sender is not told",
        from: "return `goto ${REJECTION_CHAIN}`;",
        to: 'return REJECTION_CHAIN === "rejected" ? "drop" : "";',
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/sets.ts",
    ["kernel/nft-rules", "kernel/difftest", "kernel/traps"],
    [
      {
        name: "nft-list-entry-dropped",
        models: "the first element of a set is dropped",
        from: "const elements = addresses.map(spellAddresses(family));",
        to: "const elements = addresses.slice(1).map(spellAddresses(family));",
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/fragment-header.ts",
    ["kernel/nft-exact", "kernel/nft-fields"],
    [
      {
        name: "nft-fragment-field-without-its-last-value",
        models: "range end off by one, inside the 16 bits of IPv6's fragment field",
        from: "offset === last ? high & 7n : 7n",
        to: "offset === last ? high & 6n : 7n",
      },
    ],
  ),
  ...inFile(
    "src/targets/nft/spelling.ts",
    ["kernel/nft-rules", "kernel/traps", "kernel/nft-fields"],
    [
      {
        name: "nft-range-without-its-end",
        models: "range end off by one (high), in nftables",
        from: "(low === high ? `${low}` : `${low}-${high}`)",
        to: "(low + 1n >= high ? `${low}` : `${low}-${high - 1n}`)",
      },
    ],
  ),
  ...inFile(
    "src/targets/route/devices.ts",
    ["kernel/route-target", "unit/route-emit"],
    [
      {
        name: "tunnel-key-dropped",
        models: "tunnel key dropped",
        from: '${key === null ? "" : ` key ${key}`}',
        to: '${key === null ? "" : ""}',
      },
    ],
  ),
  ...inFile(
    "src/targets/route/routes.ts",
    ["kernel/route-target", "unit/route-emit"],
    [
      {
        name: "route-metric-zero",
        models: "route priority order: IPv6 takes 0 for 1024",
        from: "metric ${priority + 1} table",
        to: "metric ${priority} table",
      },
      {
        name: "route-table-open",
        models: "without a route of the policy a packet of IPv6 goes on to another table",
        from: '["0.0.0.0/0", "::/0"].map(',
        to: '["0.0.0.0/0"].map(',
      },
    ],
  ),
  ...inFile(
    "src/targets/route/nexthops.ts",
    ["unit/route-emit", "kernel/runtime-shares"],
    [
      {
        name: "weights-all-one",
        models: "tunnels share packets evenly, whatever their weights",
        from: "},${weight}`;",
        to: "},1`;",
      },
      {
        name: "one-group-for-both-families",
        models: "an IPv6 route leads to the nexthops of IPv4",
        from: "const key = `${family} ${what}`;",
        to: "const key = what;",
      },
    ],
  ),
];

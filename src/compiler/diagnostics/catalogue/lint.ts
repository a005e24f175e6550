import { example, message, note, warning } from "../entry.js";

/** TG3xxx: the policy can be read, but cannot be meant. */
export const LINT = {
  TG3001: warning(
    message`the rule \`${"rule"}\` can match no packet`,
    `The conditions of the rule exclude one another, such as two different ports at once, or TCP and UDP fields joined by
\`and\`. Where either should do, join them by \`or\`.`,
    example(
      "expression",
      "tcp.dstport == 80 and udp.dstport == 80",
      "tcp.dstport == 80 or udp.dstport == 80",
    ),
  ),
  TG3002: warning(
    message`this comparison never holds`,
    `No value of the field fulfils it, such as a port below 0 or a bit test with an empty mask.`,
    example("expression", "tcp.dstport < 0 or tcp.dstport == 80", "tcp.dstport == 80"),
  ),
  TG3003: warning(
    message`this comparison holds for every ${"header"} packet`,
    `It excludes no value of the field, so it only says that the field is there. If that is meant, say it directly by
the protocol; otherwise the bound is wrong.`,
    example("expression", "tcp.dstport >= 0", 'ip.proto == "tcp"'),
  ),
  TG3004: warning(
    message`this \`not\` also holds for packets without ${"header"}, such as \`${"witness"}\``,
    `A comparison with an absent field is false, so its negation is true: \`not tcp.dstport == 80\` holds for every UDP
packet. \`tcp.dstport != 80\` means "TCP, and not to port 80". If other protocols are meant as well, say so:
ip.proto != "tcp" or tcp.dstport != 80.`,
    example("expression", "not tcp.dstport == 80", "tcp.dstport != 80"),
  ),
  TG3005: warning(
    message`no route covers the prefix ${"prefix"}`,
    `Packets that the firewall allows need a route into a tunnel. Without one they are dropped.`,
    example(
      "policy",
      `prefixes: ["203.0.113.0/24"],
routes: []`,
      `prefixes: ["203.0.113.0/24"],
routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }]`,
    ),
  ),
  TG3006: warning(
    message`${"member"} is outside this policy's prefixes and can never be \`ip.dst\``,
    `A policy judges only packets to its own prefixes. The other members of the set still match; this one never does.`,
    example("expression", "ip.dst in {203.0.113.7 203.0.112.7}", "ip.dst in {203.0.113.7 203.0.113.8}"),
  ),
  TG3007: warning(
    message`anycast and equal-cost paths can split a connection over servers that each know only a part of it`,
    `Each edge server tracks the connections whose packets it sees. The same prefix is announced by many servers, and
routers on the way may send packets of one connection to different ones, above all when routes change. Such a packet is
"new" or "invalid" to the server that it comes to. Rules without state are the same everywhere. If the risk is known and
taken, say so in a comment.`,
    example(
      "policy",
      'firewall: { default: "drop", rules: [], stateful: true }',
      'firewall: { default: "drop", rules: [] }',
    ),
    "write rules that need no state, or `// tidegate-ignore TG3007: REASON` above",
  ),
  TG3008: note(
    message`\`${"member"}\` is already covered by \`${"other"}\``,
    `The set is the same without it: overlapping members are merged. Leave one of them out, so that who reads the set
sees what it holds, and who removes one of them is not surprised.`,
    example("expression", "tcp.dstport in {80..90 85}", "tcp.dstport in {80..90}"),
    "leave it out; the set is the same without it",
  ),
  TG3009: warning(
    message`no link is as fast as ${"rate"}, so this limit never drops a packet`,
    `A link of 400 Gbit/s carries at most 595 million packets a second. A limit above that can never be exceeded, so it
only costs time. Lower the rate, or remove the rule.`,
    example(
      "policy",
      'mitigate: [limit("flood", expr`tcp.flags.syn`, { rate: "900000000/s" })]',
      'mitigate: [limit("flood", expr`tcp.flags.syn`, { rate: "5000/s" })]',
    ),
    "lower the rate",
  ),
  TG3010: warning(
    message`routes cover only a part of the prefix ${"prefix"}: none leads to ${"address"}`,
    `Packets that the firewall allows need a route into a tunnel. Where no route covers their destination they are dropped.`,
    example(
      "policy",
      `prefixes: ["203.0.113.0/24"],
routes: [{ prefix: "203.0.113.0/25", tunnel: "main" }]`,
      `prefixes: ["203.0.113.0/24"],
routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }]`,
    ),
  ),
};

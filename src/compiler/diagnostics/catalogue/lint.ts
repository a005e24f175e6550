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
  TG3011: warning(
    message`no packet gets to the rule \`${"rule"}\`: all that it matches is taken before by ${"by"}${"such"}`,
    `The first rule that matches a packet and ends the stage decides. Each packet that this rule matches has met one of the
rules named here before: some met one, some another. Put it before them if it is an exception to them; remove it if it
is not needed.`,
    example(
      "policy",
      `firewall: {
  default: "drop",
  rules: [drop("tcp", expr\`ip.proto == "tcp"\`), allow("web", expr\`tcp.dstport == 80\`)],
}`,
      `firewall: {
  default: "drop",
  rules: [allow("web", expr\`tcp.dstport == 80\`), drop("tcp", expr\`ip.proto == "tcp"\`)],
}`,
    ),
    "put it before them, or remove it",
  ),
  TG3012: note(
    message`the policy is the same without the rule \`${"rule"}\`: rules behind it, or the default, do the same${"such"}`,
    `Each packet that gets to this rule would meet the same end without it. That is no mistake: the rule counts these packets
under a name of its own, and tells readers what is meant. Where neither is needed, leave it out.`,
    example(
      "policy",
      'firewall: { default: "drop", rules: [drop("telnet", expr`tcp.dstport == 23`)] }',
      'firewall: { default: "drop", rules: [] }',
    ),
    "leave it out, unless its counter is wanted",
  ),
  TG3013: note(
    message`some of what \`${"rule"}\` would ${"action"} is taken before by ${"by"} (${"other"})${"such"}`,
    `The two rules want the opposite of packets that both match, and each matches packets that the other does not: neither
is plainly an exception to the other, so their order decides. Say in one of them what it is not about, or say in a
comment that the order is meant.`,
    example(
      "policy",
      `firewall: {
  default: "drop",
  rules: [allow("partners", expr\`ip.src in {192.0.2.0/24}\`), drop("telnet", expr\`tcp.dstport == 23\`)],
}`,
      `firewall: {
  default: "drop",
  rules: [
    allow("partners", expr\`ip.src in {192.0.2.0/24} and tcp.dstport != 23\`),
    drop("telnet", expr\`tcp.dstport == 23\`),
  ],
}`,
    ),
    "check that this order is meant",
  ),
  TG3014: note(
    message`no packet gets behind the rule \`${"rule"}\`, to the default of \`${"stage"}\``,
    `Every packet is matched by some rule that ends the stage, so the stage's default never decides. A last rule for all that
is left may be meant: it counts under a name of its own. If it is not, one of the rules matches more than it should.`,
    example(
      "policy",
      'firewall: { default: "drop", rules: [allow("web", expr`tcp.dstport == 80`), drop("rest", expr`ip.version in {4 6}`)] }',
      'firewall: { default: "drop", rules: [allow("web", expr`tcp.dstport == 80`)] }',
    ),
    "check that no rule matches more than it should",
  ),
  TG3015: note(
    message`whether packets get to the rule \`${"rule"}\` was not found out: its condition has too many cases`,
    `Rules are held against one another as sets of cases, each a range of every field. A condition that multiplies long
sets of IPv6 prefixes, or joins many comparisons by \`xor\`, has more of them than \`check\` looks at. The rule works as
it is written; it is only left out here, so that rules behind it may be shadowed by it and nothing is said. Several
smaller rules can be looked at.`,
    example(
      "sketch",
      "ip.src in clients and ip.dst in servers, both lists of hundreds of IPv6 hosts",
      "one rule for each service, with its own clients",
    ),
    "split it into several rules if it should be looked at",
  ),
  TG3016: warning(
    message`the tunnel \`${"tunnel"}\` gets ${"weight"} of ${"all"} flows, beside one that gets ${"most"}`,
    `Routes of one prefix and one priority share its packets by weight, flow by flow. A share that is a hundred times smaller
than another is hardly a share: too little to show that the tunnel works, and a few large flows make all of it. If the
tunnel is a spare one, give its route a higher \`priority\` number: then it is used when the other one's device is gone.`,
    example(
      "policy",
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }), spare: gre({ remote: "198.51.100.2", health: {} }) },
routes: [
  { prefix: "203.0.113.0/24", tunnel: "main", weight: 200 },
  { prefix: "203.0.113.0/24", tunnel: "spare", weight: 1 },
]`,
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }), spare: gre({ remote: "198.51.100.2", health: {} }) },
routes: [
  { prefix: "203.0.113.0/24", tunnel: "main" },
  { prefix: "203.0.113.0/24", tunnel: "spare", priority: 200 },
]`,
    ),
    "give a spare tunnel a higher `priority` number instead",
  ),
  TG3017: warning(
    message`this weight has no effect: no other route for ${"prefix"} has priority ${"priority"}`,
    `Weights say how routes of the same prefix and the same priority share its packets. A route that is alone takes them all,
whatever its weight. Where several tunnels should share the packets, give their routes one priority; else leave the weight
out.`,
    example(
      "policy",
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }), other: gre({ remote: "198.51.100.2", health: {} }) },
routes: [
  { prefix: "203.0.113.0/24", tunnel: "main", priority: 100, weight: 3 },
  { prefix: "203.0.113.0/24", tunnel: "other", priority: 200 },
]`,
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }), other: gre({ remote: "198.51.100.2", health: {} }) },
routes: [
  { prefix: "203.0.113.0/24", tunnel: "main", weight: 3 },
  { prefix: "203.0.113.0/24", tunnel: "other" },
]`,
    ),
    "give the routes that should share one priority, or leave the weight out",
  ),
  TG3018: warning(
    message`packets of ${"mtu"} bytes do not fit into a path of 1500 bytes, with ${"outer"} bytes of outer headers`,
    `The tunnel puts headers before each packet: 20 bytes of IPv4 or 40 of IPv6, and of GRE 4, or 8 with a key. On most paths
of the Internet a packet has 1500 bytes at most, and the outer header forbids to cut it up: what is longer is lost. Leave
\`mtu\` out, or, where the whole path to the router is known to carry more, say so in a comment.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "198.51.100.1", mtu: 1500 }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1", mtu: 1476 }) }',
    ),
  ),
  TG3019: warning(
    message`a tunnel of ${"mtu"} bytes cannot carry packets that every IPv4 host may send`,
    `Every host takes packets of 576 bytes (RFC 791), so many programs send such without asking: DNS does. This tunnel carries
them in pieces or, where they may not be cut up, not at all. A link that really is so small is rare.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "198.51.100.1", mtu: 500 }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1", mtu: 1400 }) }',
    ),
  ),
  TG3020: warning(
    message`\`${"rule"}\` keeps ${"name"} from your hosts${"such"}`,
    `A router that cannot pass on a packet of your host, because the next link is too small for it, says so to the host by
ICMP, and the host sends smaller ones. If it never hears of it, connections open, and hang as soon as much is sent
(RFC 2923). Let it through in a rule before: \`icmp.type == 3 and icmp.code == 4\`, in IPv6 \`icmp6.type == 2\`.`,
    example(
      "policy",
      'firewall: { default: "allow", rules: [drop("no-ping", expr`ip.proto == "icmp"`)] }',
      'firewall: { default: "allow", rules: [drop("no-ping", expr`icmp.type == 8`)] }',
    ),
    "let it through in a rule before, or drop less: `icmp.type == 8` is ping",
  ),
  TG3021: note(
    message`${"what"} keeps ${"name"} from your hosts`,
    `A router that cannot pass on a packet of your host, because the next link is too small for it, says so to the host by
ICMP, and the host sends smaller ones. If it never hears of it, connections open, and hang as soon as much is sent
(RFC 2923). What no rule lets through the default drops, this too. A rule of its own lets it through; in a stateful
firewall so does one that allows \`ct.state == "related"\`.`,
    example(
      "policy",
      'firewall: { default: "drop", rules: [allow("web", expr`tcp.dstport == 443`)] }',
      `firewall: {
  default: "drop",
  rules: [
    allow("web", expr\`tcp.dstport == 443\`),
    allow("too-big", expr\`icmp.type == 3 and icmp.code == 4 or icmp6.type == 2\`),
  ],
}`,
    ),
    "let it through by a rule: `icmp.type == 3 and icmp.code == 4`, in IPv6 `icmp6.type == 2`",
  ),
  TG3022: warning(
    message`no router is asked whether it lives, so none is ever found dead`,
    `A tunnel without \`health\` counts as live whatever becomes of its router, so no prefix is ever without a live tunnel.
Tell the tunnels how their routers are asked, \`health: {}\` for the usual way, or leave \`noLiveTunnel\` out.`,
    example(
      "policy",
      `tunnels: { main: gre({ remote: "198.51.100.1" }) },
routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
noLiveTunnel: "use"`,
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }) },
routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
noLiveTunnel: "use"`,
    ),
    "add `health: {}` to the tunnels",
  ),
  TG3030: warning(
    message`nobody asks whether the router of \`${"tunnel"}\` lives, so \`${"other"}\` does not stand in for it`,
    `Several tunnels for a prefix are worth something when one of the routers dies: then the others are to take its packets.
Tidegate does that for tunnels that say how their routers are asked. With \`health: {}\` each edge server sends a ping
through the tunnel every second, to the router's own address, which has to answer; three losses in a row, and the tunnel
is left out until it answers again. Write \`health: "off"\` where it is not wanted.`,
    example(
      "policy",
      `tunnels: { main: gre({ remote: "198.51.100.1" }), spare: gre({ remote: "198.51.100.2" }) },
routes: [
  { prefix: "203.0.113.0/24", tunnel: "main" },
  { prefix: "203.0.113.0/24", tunnel: "spare", priority: 200 },
]`,
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }), spare: gre({ remote: "198.51.100.2" }) },
routes: [
  { prefix: "203.0.113.0/24", tunnel: "main" },
  { prefix: "203.0.113.0/24", tunnel: "spare", priority: 200 },
]`,
    ),
    "add `health: {}` to the tunnel",
  ),
};

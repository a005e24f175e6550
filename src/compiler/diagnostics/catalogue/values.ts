import { error, example, message } from "../entry.js";

/** TG2020–TG2049, and TG2056: names, prefixes, rates and numbers of a policy or of an edge file. */
export const VALUES = {
  TG2020: error(
    message`the ${"what"} name \`${"name"}\` cannot be used`,
    `Names become parts of file names, counters, network devices and namespaces. They begin with a small letter, go on with
small letters, digits and \`-\`, and have at most 32 characters.`,
    example("policy", 'customer: "Acme Inc."', 'customer: "acme"'),
    "use a-z, 0-9 and `-`, beginning with a letter, at most 32 characters",
  ),
  TG2021: error(
    message`there are two ${"what"}s named \`${"name"}\``,
    `A name is the identity of what it names: counters, tests and diffs hang on it. Rule names are unique in the whole
policy, both stages together.`,
    example(
      "policy",
      `mitigate: [
  drop("scan", expr\`tcp.dstport == 23\`),
  drop("scan", expr\`tcp.dstport == 2323\`),
]`,
      `mitigate: [
  drop("scan-telnet", expr\`tcp.dstport == 23\`),
  drop("scan-iot", expr\`tcp.dstport == 2323\`),
]`,
    ),
    "rename one of them",
  ),
  TG2022: error(
    message`there is no rule named \`${"name"}\``,
    `The test expects a rule to decide that the policy does not have. Rule names are those in allow("name", …), drop and
limit, of both stages.`,
    example(
      "policy",
      `mitigate: [drop("telnet", expr\`tcp.dstport == 23\`)],
tests: [{ packet: "tcp 192.0.2.7:4000 > 203.0.113.9:23", expect: "drop", rule: "tlenet" }]`,
      `mitigate: [drop("telnet", expr\`tcp.dstport == 23\`)],
tests: [{ packet: "tcp 192.0.2.7:4000 > 203.0.113.9:23", expect: "drop", rule: "telnet" }]`,
    ),
    'the names are those in allow("name", …), drop and limit',
  ),
  TG2023: error(
    message`there is no tunnel named \`${"name"}\``,
    `A route sends its packets into a tunnel of the same policy. The names are the keys of \`tunnels\`.`,
    example(
      "policy",
      `tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
routes: [{ prefix: "203.0.113.0/24", tunnel: "chcago" }]`,
      `tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }]`,
    ),
    "the names are the keys of `tunnels`",
  ),
  TG2024: error(
    message`the route's prefix ${"prefix"} is outside this policy's prefixes`,
    `A policy may only route what is its own: packets to other addresses never reach it. Either the prefix is mistyped, or
it is missing in \`prefixes\`.`,
    example(
      "policy",
      `prefixes: ["203.0.113.0/24"],
routes: [{ prefix: "203.0.112.0/24", tunnel: "main" }]`,
      `prefixes: ["203.0.113.0/24"],
routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }]`,
    ),
  ),
  TG2025: error(
    message`the prefix ${"prefix"} overlaps ${"other"}`,
    `Each address must belong to one entry of \`prefixes\`, so that it is clear which one grants it. Remove the entry that
the other one already contains.`,
    example("policy", 'prefixes: ["203.0.113.0/24", "203.0.113.128/25"]', 'prefixes: ["203.0.113.0/24"]'),
    "remove the longer prefix: the other one contains it",
  ),
  TG2026: error(
    message`the tunnel's remote ${"remote"} lies in this policy's own prefix ${"prefix"}`,
    `The tunnel's outer packets would go to an address that this policy itself catches and sends into the tunnel again:
a loop. The remote must be reachable without the tunnel.`,
    example(
      "policy",
      `prefixes: ["203.0.113.0/24"],
tunnels: { main: gre({ remote: "203.0.113.1" }) }`,
      `prefixes: ["203.0.113.0/24"],
tunnels: { main: gre({ remote: "198.51.100.1" }) }`,
    ),
    "give an address of the router that is not this customer's",
  ),
  TG2029: error(
    message`\`${"rate"}\` is not a rate`,
    `A rate is a whole number of packets, a slash and a unit: s (second), m (minute) or h (hour), such as "5000/s" or
"30/m".`,
    example(
      "policy",
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "5000 per s" })]',
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "5000/s" })]',
    ),
  ),
  TG2030: error(
    message`the rate ${"rate"} is ${"problem"}`,
    `Times are counted in nanoseconds, so a rate goes from 1 packet to 1,000,000,000 packets a second.`,
    example(
      "policy",
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "0/s" })]',
      'mitigate: [drop("syn", expr`tcp.flags.syn`)]',
    ),
  ),
  TG2031: error(
    message`a burst of ${"burst"} is ${"problem"}`,
    `A burst is the number of packets that may come at once: a whole number from 1 to 4294967295. Together with the rate it
must stay below 2^62 nanoseconds of allowance (146 years), so that times always fit into 64 bits.`,
    example(
      "policy",
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "5000/s", burst: 0 })]',
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "5000/s", burst: 1 })]',
    ),
    "write a whole number from 1 to 4294967295",
  ),
  TG2032: error(
    message`a limit cannot count per \`${"per"}\``,
    `Packets that share one allowance have the same \`per\`: "ip.src" or "ip.dst". Without \`per\` all packets that the rule
matches share one.`,
    example(
      "policy",
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "50/s", per: "tcp.srcport" })]',
      'mitigate: [limit("syn", expr`tcp.flags.syn`, { rate: "50/s", per: "ip.src" })]',
    ),
  ),
  TG2033: error(
    message`\`${"what"}\` must be ${"wanted"}, not ${"value"}`,
    `The value has its limits in the protocol or in the kernel that it is meant for: a TTL has 8 bits and must not be 0,
a GRE key has 32, a DSCP 6. A tunnel must carry at least 68 bytes for IPv4, 1280 for IPv6 and for \`ipip\` over IPv4. Its
\`mss\` leaves room in \`mtu\` for 20 bytes of IPv4 and 20 of TCP: more would be cut up.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "198.51.100.1", ttl: 256 }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1", ttl: 255 }) }',
    ),
  ),
  TG2034: error(
    message`\`${"what"}\` must be "allow", "drop" or "reject", not "${"value"}"`,
    `These are the verdicts; "reject" is a "drop" that the sender is told of. The firewall's default is never implied, so
that each policy says what happens to packets that no rule matches.`,
    example(
      "policy",
      'firewall: { default: "block", rules: [] }',
      'firewall: { default: "drop", rules: [] }',
    ),
    'write "allow", "drop" or "reject"',
  ),
  TG2035: error(
    message`this packet cannot be read: ${"problem"}`,
    `A packet is written like tcpdump prints one: tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S, udp [2001:db8::7]:53 >
[2001:db8:1::1]:9, icmp A > B type=8 code=0, proto=47 A > B, or hex= with the bytes of the IP packet.`,
    example(
      "policy",
      'tests: [{ packet: "tcp 192.0.2.7 > 203.0.113.9:80", expect: "drop" }]',
      'tests: [{ packet: "tcp 192.0.2.7:40000 > 203.0.113.9:80", expect: "drop" }]',
    ),
    "write it like `tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S`",
  ),
  TG2036: error(
    message`a ${"what"} must have at least one ${"member"}`,
    `Without one there is no packet that it could speak of.`,
    example("policy", "prefixes: []", 'prefixes: ["203.0.113.0/24"]'),
  ),
  TG2037: error(
    message`${"address"} cannot be used here: it is ${"kind"}`,
    `The ends of a tunnel must be addresses that one host on the network has. Multicast, loopback, unspecified and reserved
addresses are none.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "127.0.0.1" }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1" }) }',
    ),
  ),
  TG2038: error(
    message`\`${"name"}\` cannot be the name of a network device`,
    `Linux takes names of 1 to 15 characters without spaces, slashes and colons, and not \`.\` or \`..\`
(dev_valid_name in net/core/dev.c).`,
    example("edge", 'uplinks: ["eth 0"]', 'uplinks: ["eth0"]'),
  ),
  TG2039: error(
    message`the uplink \`${"name"}\` is listed twice`,
    `One program is attached to each uplink. List each device once.`,
    example("edge", 'uplinks: ["eth0", "eth0"]', 'uplinks: ["eth0", "eth1"]'),
  ),
  TG2040: error(
    message`there are two anycast addresses of IPv${"family"}`,
    `The anycast address is the outer source of all tunnels and the same on every server, so there is at most one for each
family.`,
    example("edge", 'anycast: ["198.18.0.1", "198.18.0.2"]', 'anycast: ["198.18.0.1", "2001:db8::1"]'),
  ),
  TG2041: error(
    message`there is no anycast address`,
    `Tunnels need an address to come from: those to an IPv4 address of a router an IPv4 one, those to an IPv6 address an IPv6
one. Give one of each family that is used.`,
    example("edge", "anycast: []", 'anycast: ["198.18.0.1", "2001:db8::1"]'),
  ),
  TG2042: error(
    message`${"prefix"} is owned by both \`${"customer"}\` and \`${"other"}\``,
    `The owner of an address decides what happens to its packets, so each address has one owner. Split the larger prefix,
or remove one of the two.`,
    example(
      "edge",
      'owners: { acme: ["203.0.113.0/24"], globex: ["203.0.113.128/25"] }',
      'owners: { acme: ["203.0.113.0/25"], globex: ["203.0.113.128/25"] }',
    ),
  ),
  TG2043: error(
    message`the anycast address ${"address"} lies in the prefix ${"prefix"} of \`${"customer"}\``,
    `Packets to the anycast address come out of tunnels. If a customer owned it, that customer's policy would judge the
tunnel packets of all others.`,
    example(
      "edge",
      `anycast: ["203.0.113.9"],
owners: { acme: ["203.0.113.0/24"] }`,
      `anycast: ["198.18.0.1"],
owners: { acme: ["203.0.113.0/24"] }`,
    ),
  ),
  TG2044: error(
    message`${"prefix"} is the whole address space`,
    `A prefix of length 0 would claim every packet, also those of the edge server itself. Write the prefixes that are
announced.`,
    example("edge", 'owners: { acme: ["::/0"] }', 'owners: { acme: ["2001:db8::/32"] }'),
  ),
  TG2045: error(
    message`the tunnels \`${"name"}\` and \`${"other"}\` have the same remote and key`,
    `Tunnels of one kind are told apart by their ends and, in GRE, by the key, if there is one (RFC 2890). Packets that come
back by two tunnels with the same remote and key could belong to either. Give one of them another \`key\`; \`ipip\` has
none, so of these there is one for each remote.`,
    example(
      "policy",
      `tunnels: {
  main: gre({ remote: "198.51.100.1" }),
  spare: gre({ remote: "198.51.100.1" }),
}`,
      `tunnels: {
  main: gre({ remote: "198.51.100.1", key: 1 }),
  spare: gre({ remote: "198.51.100.1", key: 2 }),
}`,
    ),
    "give one of them another `key`",
  ),
  TG2047: error(
    message`\`mitigate\` cannot reject packets, as rule \`${"rule"}\` wants`,
    `To reject a packet is to answer its sender: with a TCP reset, or with an ICMP error. XDP, which runs \`mitigate\`, has
no way to do that. And a flood whose sources are forged would be answered to somebody else.`,
    example(
      "policy",
      'mitigate: [reject("telnet", expr`tcp.dstport == 23`)]',
      'mitigate: [drop("telnet", expr`tcp.dstport == 23`)]',
    ),
    "write `drop`, or move the rule to the firewall",
  ),
  TG2048: error(
    message`\`ct.state\` needs a stateful firewall`,
    `The state of a connection is known only where connections are tracked, and that costs memory and time for each of
them, so it must be asked for. A stateful firewall also sees whole datagrams instead of fragments, and only the packets
that come by its own server.`,
    example(
      "policy",
      `firewall: {
  default: "drop",
  rules: [allow("known", expr\`ct.state == "established"\`)],
}`,
      `firewall: {
  default: "drop",
  stateful: true,
  rules: [allow("known", expr\`ct.state == "established"\`)],
}`,
    ),
    "add `stateful: true` to the firewall",
  ),
  TG2049: error(
    message`\`offload\` must be "auto" or "off", not "${"value"}"`,
    `It says where the firewall's drops are made: with "auto", the default, XDP drops already what it can tell that the
firewall drops; with "off" all of it waits for the namespace. The verdicts are the same.`,
    example(
      "policy",
      'firewall: { default: "drop", rules: [], offload: "on" }',
      'firewall: { default: "drop", rules: [], offload: "auto" }',
    ),
    'write "auto" or "off", or leave `offload` out',
  ),
  TG2056: error(
    message`\`datapath\` must be "auto", "namespace" or "xdp", not "${"value"}"`,
    `It says how allowed packets get into a tunnel: through the customer's network namespace, or with "xdp", where they are
plain, at once from the network card to the network card. The verdicts are the same. "auto", the default, is "namespace"
today.`,
    example("policy", 'datapath: "fast"', 'datapath: "namespace"'),
    'write "auto", "namespace" or "xdp", or leave `datapath` out',
  ),
};

import { error, message } from "../entry.js";

/** TG2020–TG2049: names, prefixes, rates and numbers of a policy or of an edge file. */
export const VALUES = {
  TG2020: error(
    message`the ${"what"} name \`${"name"}\` cannot be used`,
    `Names become parts of file names, counters, network devices and namespaces. They begin with a small letter, go on with
small letters, digits and \`-\`, and have at most 32 characters.`,
    "use a-z, 0-9 and `-`, beginning with a letter, at most 32 characters",
  ),
  TG2021: error(
    message`there are two ${"what"}s named \`${"name"}\``,
    `A name is the identity of what it names: counters, tests and diffs hang on it. Rule names are unique in the whole
policy, both stages together.`,
    "rename one of them",
  ),
  TG2022: error(
    message`there is no rule named \`${"name"}\``,
    `The test expects a rule to decide that the policy does not have. Rule names are those in allow("name", …), drop and
limit, of both stages.`,
    'the names are those in allow("name", …), drop and limit',
  ),
  TG2023: error(
    message`there is no tunnel named \`${"name"}\``,
    `A route sends its packets into a tunnel of the same policy. The names are the keys of \`tunnels\`.`,
    "the names are the keys of `tunnels`",
  ),
  TG2024: error(
    message`the route's prefix ${"prefix"} is outside this policy's prefixes`,
    `A policy may only route what is its own: packets to other addresses never reach it. Either the prefix is mistyped, or
it is missing in \`prefixes\`.`,
  ),
  TG2025: error(
    message`the prefix ${"prefix"} overlaps ${"other"}`,
    `Each address must belong to one entry of \`prefixes\`, so that it is clear which one grants it. Remove the entry that
the other one already contains.`,
    "remove the longer prefix: the other one contains it",
  ),
  TG2026: error(
    message`the tunnel's remote ${"remote"} lies in this policy's own prefix ${"prefix"}`,
    `The tunnel's outer packets would go to an address that this policy itself catches and sends into the tunnel again:
a loop. The remote must be reachable without the tunnel.`,
    "give an address of the router that is not this customer's",
  ),
  TG2027: error(
    message`an IPv6 address as a tunnel's remote is not supported yet`,
    `GRE runs over IPv4 for now. The packets inside may be IPv6.`,
    "give the router's IPv4 address",
  ),
  TG2028: error(
    message`several routes for ${"prefix"} with the same priority are not supported yet`,
    `Routes of one prefix and one priority would share the traffic by weight (ECMP), which no target does yet. Give them
different priorities: the lowest is used.`,
    "give them different priorities",
  ),
  TG2029: error(
    message`\`${"rate"}\` is not a rate`,
    `A rate is a whole number of packets, a slash and a unit: s (second), m (minute) or h (hour), such as "5000/s" or
"30/m".`,
  ),
  TG2030: error(
    message`the rate ${"rate"} is ${"problem"}`,
    `Times are counted in nanoseconds, so a rate goes from 1 packet to 1,000,000,000 packets a second.`,
  ),
  TG2031: error(
    message`a burst of ${"burst"} is ${"problem"}`,
    `A burst is the number of packets that may come at once: a whole number from 1 to 4294967295. Together with the rate it
must stay below 2^62 nanoseconds of allowance (146 years), so that times always fit into 64 bits.`,
    "write a whole number from 1 to 4294967295",
  ),
  TG2032: error(
    message`a limit cannot count per \`${"per"}\``,
    `Packets that share one allowance have the same \`per\`: "ip.src" or "ip.dst". Without \`per\` all packets that the rule
matches share one.`,
  ),
  TG2033: error(
    message`\`${"what"}\` must be ${"wanted"}, not ${"value"}`,
    `The value has its limits in the protocol or in the kernel that it is meant for: a TTL has 8 bits and must not be 0,
a GRE key has 32, a tunnel must carry at least 68 bytes for IPv4 and 1280 for IPv6.`,
  ),
  TG2034: error(
    message`\`${"what"}\` must be "allow" or "drop", not "${"value"}"`,
    `These are the two verdicts. The firewall's default is never implied, so that each policy says what happens to packets
that no rule matches.`,
    'write "allow" or "drop"',
  ),
  TG2035: error(
    message`this packet cannot be read: ${"problem"}`,
    `A packet is written like tcpdump prints one: tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S, udp [2001:db8::7]:53 >
[2001:db8:1::1]:9, icmp A > B type=8 code=0, proto=47 A > B, or hex= with the bytes of the IP packet.`,
    "write it like `tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S`",
  ),
  TG2036: error(
    message`a ${"what"} must have at least one ${"member"}`,
    `Without one there is no packet that it could speak of.`,
  ),
  TG2037: error(
    message`${"address"} cannot be used here: it is ${"kind"}`,
    `The ends of a tunnel must be addresses that one host on the network has. Multicast, loopback, unspecified and reserved
addresses are none.`,
  ),
  TG2038: error(
    message`\`${"name"}\` cannot be the name of a network device`,
    `Linux takes names of 1 to 15 characters without spaces, slashes and colons, and not \`.\` or \`..\`
(dev_valid_name in net/core/dev.c).`,
  ),
  TG2039: error(
    message`the uplink \`${"name"}\` is listed twice`,
    `One program is attached to each uplink. List each device once.`,
  ),
  TG2040: error(
    message`there are two anycast addresses of IPv${"family"}`,
    `The anycast address is the outer source of all tunnels and the same on every server, so there is at most one for each
family.`,
  ),
  TG2041: error(
    message`there is no IPv4 anycast address`,
    `Tunnels run over IPv4 for now and need an address to come from.`,
  ),
  TG2042: error(
    message`${"prefix"} is owned by both \`${"customer"}\` and \`${"other"}\``,
    `The owner of an address decides what happens to its packets, so each address has one owner. Split the larger prefix,
or remove one of the two.`,
  ),
  TG2043: error(
    message`the anycast address ${"address"} lies in the prefix ${"prefix"} of \`${"customer"}\``,
    `Packets to the anycast address come out of tunnels. If a customer owned it, that customer's policy would judge the
tunnel packets of all others.`,
  ),
  TG2044: error(
    message`${"prefix"} is the whole address space`,
    `A prefix of length 0 would claim every packet, also those of the edge server itself. Write the prefixes that are
announced.`,
  ),
  TG2045: error(
    message`the tunnels \`${"name"}\` and \`${"other"}\` have the same remote and key`,
    `GRE tells tunnels apart by their ends and, if there is one, the key (RFC 2890). Packets that come back by two
tunnels with the same remote and key could belong to either. Give one of them another \`key\`.`,
    "give one of them another `key`",
  ),
};

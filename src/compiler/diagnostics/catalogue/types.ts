import { error, example, message } from "../entry.js";

/** TG2001–TG2019: fields of expressions, and the values that they are compared with. */
export const TYPES = {
  TG2001: error(
    message`unknown field \`${"field"}\``,
    `The expression names a field that the language does not have. Field names are those of the Rules language:
ip.src, ip.dst, ip.proto, and for each protocol its own, such as tcp.dstport, udp.srcport or icmp.type.`,
    example("expression", "ip.sorce == 192.0.2.1", "ip.src == 192.0.2.1"),
    "fields are those of ip, tcp, udp, icmp and icmp6, such as tcp.dstport",
  ),
  TG2002: error(
    message`\`${"field"}\` needs the operator's tables, which are not given`,
    `Which country or AS an address belongs to is not in the packet. The operator supplies a table of prefixes, and the
comparison becomes a list of them: tidegate check acme.policy.ts --geo tables.json. docs/fields.md shows its form.`,
    example("expression", 'ip.src.country == "DE"', "ip.src in {192.0.2.0/24}"),
    "give the tables with --geo FILE",
  ),
  TG2003: error(
    message`\`${"operator"}\` cannot be used with \`${"field"}\`, which is ${"type"}`,
    `Addresses can be compared with ==, != and in; numbers also with <, <=, >, >= and &; a flag such as tcp.flags.syn
is a condition by itself and takes no operator. Protocol names have no order, so they take ==, != and in only.`,
    example("expression", "ip.src < 192.0.2.9", "ip.src in {192.0.2.0..192.0.2.8}"),
  ),
  TG2004: error(
    message`\`${"field"}\` is ${"type"} and cannot be compared with ${"value"}`,
    `Both sides of a comparison must be of one kind. Addresses and numbers are written bare (ip.src == 192.0.2.1,
tcp.dstport == 80), protocol names in quotes (ip.proto == "tcp"), prefixes inside braces (ip.src in {10.0.0.0/8}).`,
    example("expression", "ip.src == 80", "tcp.srcport == 80"),
  ),
  TG2005: error(
    message`\`${"field"}\` has no value named "${"name"}"`,
    `Only some numbers have names, such as "tcp", "udp", "icmp", "icmp6" and "gre" for ip.proto. Any other value can be
written as its number.`,
    example("expression", 'ip.proto == "tpc"', 'ip.proto == "tcp"'),
    "write the number instead: ip.proto == 47",
  ),
  TG2006: error(
    message`${"value"} does not fit into \`${"field"}\`, which holds at most ${"max"}`,
    `The field has too few bits for this number, so no packet could ever have it. Ports and other 16-bit fields hold 0
to 65535, protocols, flags, types and codes 0 to 255.`,
    example("expression", "tcp.dstport <= 65536", "tcp.dstport <= 1023"),
    "ports go from 0 to 65535; protocols, flags, types and codes from 0 to 255",
  ),
  TG2007: error(
    message`\`${"field"}\` is ${"type"} and not a condition by itself`,
    `Only flags such as tcp.flags.syn can stand alone. Compare other fields with something: tcp.dstport == 80,
ip.src in {10.0.0.0/8}.`,
    example("expression", "tcp.dstport and ip.src == 192.0.2.1", "tcp.dstport == 80 and ip.src == 192.0.2.1"),
  ),
  TG2008: error(
    message`${"what"} is empty and would match nothing`,
    `An empty set matches no packet, so the rule would silently do nothing, or with \`not\` everything. This is most
often a list that was filtered down to nothing. Give it a member, or remove the comparison.`,
    example("expression", `ip.src in \${list([])}`, `ip.src in \${list(["192.0.2.0/24"])}`),
    "give it a member, or remove the rule",
  ),
  TG2009: error(
    message`this set mixes IPv4 and IPv6`,
    `A comparison of addresses belongs to one family: an IPv4 packet has no IPv6 address to compare. Write two sets,
joined by \`or\`: ip.src in {10.0.0.0/8} or ip.src in {2001:db8::/32}. A \`list\` may hold both families.`,
    example(
      "expression",
      "ip.src in {10.0.0.0/8 2001:db8::/32}",
      "ip.src in {10.0.0.0/8} or ip.src in {2001:db8::/32}",
    ),
  ),
  TG2010: error(
    message`\`${"prefix"}\` has host bits set`,
    `Behind its length a prefix must be zero. An address with other bits set is either a typing error in the address or in
the length, and guessing which could open or close the wrong network. For one host write /32 or /128.`,
    example("policy", 'prefixes: ["203.0.113.7/24"]', 'prefixes: ["203.0.113.0/24"]'),
  ),
  TG2011: error(
    message`\`${"text"}\` is not ${"wanted"}`,
    `IPv4 addresses are four decimal numbers (192.0.2.1), IPv6 addresses are written as in RFC 4291 (2001:db8::1), and a
prefix is an address, a slash and a length of at most 32 or 128.`,
    example("policy", 'prefixes: ["203.0.113/24"]', 'prefixes: ["203.0.113.0/24"]'),
  ),
  TG2012: error(
    message`nothing is left of this set: all its values of \`${"field"}\` are taken away again`,
    `What is in a set but not in another one that holds all of it is an empty set, and that matches no packet: the rule
would silently do nothing, or with \`not\` everything. Remove one of the two conditions, or take away less.`,
    example(
      "expression",
      "tcp.dstport in {80 443} and not tcp.dstport in {1..1023}",
      "tcp.dstport in {1..1023} and not tcp.dstport in {80 443}",
    ),
    "remove one of the two conditions, or take away less",
  ),
  TG2013: error(
    message`\`${"call"}\` cannot be read: ${"problem"}`,
    `A function of the packet reads bits that have no field of their own. bit_slice(PROTOCOL, START, END) reads the bits
from START to before END, counted from the start of the header of ip, tcp, udp or icmp: at most 32 bits, the first of them
at most 2,040. payload.u8(N), payload.u16(N) and payload.u32(N) read bytes behind the transport header.`,
    example("expression", "bit_slice(udp, 64, 128) == 1", "bit_slice(udp, 64, 96) == 1"),
  ),
  TG2014: error(
    message`this pattern cannot be used: ${"problem"}`,
    `\`matches\` takes a short regular expression of letters, digits and . * + ? | ( ) [ ] ^ $ -. It is matched against
names that are known beforehand, such as those of protocols and countries, so a set of them says the same.`,
    example("expression", 'ip.proto matches "(tcp"', 'ip.proto matches "^(tcp|udp)$"'),
  ),
  TG2019: error(
    message`\`ip.dst\` can never be ${"value"}: outside this policy's prefixes`,
    `A policy judges only packets to its own prefixes, so this comparison never holds. Either the address is mistyped, or
the prefix that holds it is missing in \`prefixes\`.`,
    example("expression", "ip.dst == 203.0.112.7", "ip.dst == 203.0.113.7"),
  ),
};

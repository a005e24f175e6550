import { error, example, message } from "../entry.js";

/** TG11xx: a filter expression (expr`…`) cannot be read. */
export const EXPRESSIONS = {
  TG1100: error(
    message`expected ${"expected"}, found ${"found"}`,
    `A filter expression is made of conditions such as \`tcp.dstport == 80\`, \`ip.src in {10.0.0.0/8}\` or
\`tcp.flags.syn\`, joined by \`not\`, \`and\`, \`xor\`, \`or\` (in this order of precedence) and parentheses.
The message names what could have stood at this place.`,
    example("expression", "tcp.dstport 80", "tcp.dstport == 80"),
  ),
  TG1101: error(
    message`\`${"character"}\` has no meaning in an expression`,
    `Expressions know the operators == != < <= > >= in & ! && ^^ || (or eq ne lt le gt ge in bitwise_and not and
xor or), parentheses, sets in braces with spaces between the items, ranges such as 80..90, and # comments.`,
    example("expression", "tcp.dstport = 80", "tcp.dstport == 80"),
  ),
  TG1102: error(
    message`this text in quotes does not end`,
    `A string starts and ends with a double quote on the same line: ip.proto == "tcp". To use a constant of the
policy, interpolate it without quotes: ip.dst == \${server}.`,
    example("expression", 'ip.proto == "tcp', 'ip.proto == "tcp"'),
    'close it on the same line: "tcp"',
  ),
  TG1103: error(
    message`\`${"escape"}\` is no escape of an expression`,
    `Expressions are read as they are written, so that every message points at the right character. Only texts in
quotes know escapes, those of the Rules language: \\" for a quote, \\\\ for a backslash, \\x41 for a byte.`,
    example("expression", `ip.proto == \\"tcp\\"`, 'ip.proto == "tcp"'),
  ),
  TG1104: error(
    message`this expression is nested more than ${"limit"} deep`,
    `Parentheses, \`not\` and interpolated expressions may be nested 128 deep, as in other engines of the Rules
language. Write several rules, or put the values into one set: tcp.dstport in {80 443}.`,
    example("sketch", "((((( … 129 parentheses … )))))", "tcp.dstport in {80 443}"),
    "put the values into one set, or write several rules",
  ),
  TG1105: error(
    message`the operator \`${"name"}\` is for texts, which packets do not have`,
    `The Rules language compares parts of HTTP requests with patterns. The fields of packets are addresses and numbers:
a part of the addresses is a prefix, a part of the numbers is a range.`,
    example("expression", 'ip.src wildcard "10.*"', "ip.src in {10.0.0.0/8}"),
    "for a part of the addresses write a prefix: `ip.src in {10.0.0.0/8}`",
  ),
  TG1106: error(
    message`there is no function \`${"name"}\``,
    `Expressions have four functions: bit_slice(tcp, 0, 16) reads bits from the start of a header; payload.u8(0),
payload.u16(0) and payload.u32(0) read bytes behind the transport header. Functions of TypeScript are called
outside, and their values interpolated: \${value}.`,
    example("expression", 'lower(ip.proto) == "tcp"', 'ip.proto == "tcp"'),
    "the functions are bit_slice, payload.u8, payload.u16 and payload.u32",
  ),
  TG1107: error(
    message`\`${"name"}\` is a function and lacks its arguments`,
    `A function reads the part of the packet that its arguments name: bit_slice(tcp, 0, 16) the first 16 bits of the
TCP header, payload.u16(4) two bytes, four bytes behind the start of the payload.`,
    example("expression", "payload.u8 == 1", "payload.u8(0) == 1"),
    "write them in parentheses: `bit_slice(tcp, 0, 16)`, `payload.u8(0)`",
  ),
  TG1108: error(
    message`there is no list \`${"list"}\``,
    `In the Rules language $name is a list that is kept elsewhere. Here a list is a constant of the policy, or is
imported from a file beside it, and is interpolated: ip.src in \${name}.`,
    example("expression", "ip.src in $partners", `ip.src in \${list(["198.51.100.0/24"])}`),
  ),
  TG1110: error(
    message`\`${"text"}\` is neither a number nor an address`,
    `Numbers are decimal (80), hexadecimal (0x50) or octal (0120). Addresses are four decimal parts (192.0.2.1) or
IPv6 without a zone (2001:db8::1). Prefixes are an address and a length (192.0.2.0/24).`,
    example("expression", "ip.src == 10.0.0.256", "ip.src == 10.0.0.255"),
    "numbers are like 80 or 0x50, addresses like 192.0.2.1 or 2001:db8::1",
  ),
  TG1111: error(
    message`\`${"text"}\` has bits set behind its prefix length`,
    `A prefix names a network, so the bits behind its length must be zero. 10.1.2.3/8 could mean the network
10.0.0.0/8 or the address 10.1.2.3; write the one that you mean.`,
    example("expression", "ip.src in {10.1.2.3/8}", "ip.src in {10.0.0.0/8}"),
  ),
  TG1112: error(
    message`\`${"text"}\` is not a prefix: the length must be a number from 0 to ${"longest"}`,
    `An IPv4 prefix has a length from 0 to 32, an IPv6 prefix from 0 to 128: 192.0.2.0/24, 2001:db8::/32.`,
    example("expression", "ip.src in {10.0.0.0/33}", "ip.src in {10.0.0.0/23}"),
  ),
  TG1113: error(
    message`the prefix ${"prefix"} can only stand in a set`,
    `A comparison such as == is with one address. Whether an address lies in a prefix is asked with \`in\` and
braces: ip.src in {10.0.0.0/8}. The braces may hold many prefixes, addresses and ranges, with spaces between them.`,
    example("expression", "ip.src == 10.0.0.0/8", "ip.src in {10.0.0.0/8}"),
  ),
  TG1114: error(
    message`the range ${"range"} runs backwards`,
    `A range names its lower end first, and both ends belong to it: 80..90. A reversed range would match nothing.`,
    example("expression", "tcp.dstport in {90..80}", "tcp.dstport in {80..90}"),
  ),
  TG1115: error(
    message`the range ${"range"} starts in IPv${"low"} and ends in IPv${"high"}`,
    `Both ends of a range are addresses of one family. Write one range for IPv4 and one for IPv6, in two rules or
joined by \`or\`.`,
    example(
      "expression",
      "ip.src in {10.0.0.1..2001:db8::9}",
      "ip.src in {10.0.0.1..10.0.0.9} or ip.src in {2001:db8::1..2001:db8::9}",
    ),
  ),
  TG1116: error(
    message`a range needs two numbers or two addresses, found ${"low"} and ${"high"}`,
    `Ranges are 80..90 or 192.0.2.1..192.0.2.9. A prefix is a range by itself, and text has no order.`,
    example("expression", "ip.src in {1..10.0.0.9}", "ip.src in {10.0.0.1..10.0.0.9}"),
  ),
  TG1120: error(
    message`${"found"} cannot stand in an expression`,
    `An expression can hold numbers, addresses, prefixes and other text, arrays of them (after \`in\`), a list
(after \`in\`), and other expressions. They become typed values of the expression, never a part of its text.`,
    example("expression", `tcp.dstport == \${true}`, `tcp.dstport == \${80}`),
  ),
  TG1121: error(
    message`the number ${"number"} cannot stand in an expression`,
    `Fields of packets are whole numbers from 0 up, so a fraction or a negative number could never match.`,
    example("expression", `tcp.dstport == \${80.5}`, `tcp.dstport == \${80}`),
  ),
};

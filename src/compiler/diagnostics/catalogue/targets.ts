import { error, example, message } from "../entry.js";

/** TG4xxx: a target cannot express what the policy asks for. */
export const TARGETS = {
  TG4001: error(
    message`rule \`${"rule"}\` makes the XDP program too large: up to ${"total"} instructions, and ${"limit"} are allowed`,
    `Many rules of the \`mitigate\` stage are looked up in tables, whatever their number. These rules cannot be: one of
them is too entangled and asks for a list, too, or together they are more than 65,536 combinations of \`and\` (each
\`or\` and \`xor\` of different fields multiplies them), ask for more fields than a packet can be looked up by, or fill more
than 32 MiB of tables. So they stand in one XDP program, and the kernel's verifier takes only so large
a one: about 5 instructions for a number or an IPv4 range, 17 for an IPv6 range, 30 for bits that are read where they lie.
The rule named is the first that does not fit any more. Write it, and others like it, simpler, put long sets of addresses
into a \`list([...])\`, or move rules to the \`firewall\` stage.`,
    example(
      "sketch",
      'mitigate: [drop("bad", expr`ip.src in {192.0.2.1 192.0.2.3 … thousands …}`)]',
      `const bad = list(["192.0.2.1", "192.0.2.3", …]);
mitigate: [drop("bad", expr\`ip.src in \${bad}\`)]`,
    ),
  ),
  TG4002: error(
    message`rule \`${"rule"}\` needs one more BPF map than the ${"limit"} that an XDP program may have`,
    `In the \`mitigate\` stage each \`limit\` has a map, and each list has one for each address family that it is asked for.
(Rules that are looked up in tables need no maps for lists.)
The kernel lets a program use 64 maps, and Tidegate needs four of them itself, with \`datapath: "xdp"\` eight.
The rule named is the first whose map does not fit any more. Join lists that are always used together, or limits
that may share one allowance.`,
    example(
      "sketch",
      `drop("a", expr\`ip.src in \${listA}\`), drop("b", expr\`ip.src in \${listB}\`), …`,
      `const all = list([...addressesA, ...addressesB]);
drop("all", expr\`ip.src in \${all}\`)`,
    ),
  ),
  TG4003: error(
    message`rule \`${"rule"}\` asks for the state of a connection in \`mitigate\``,
    `The \`mitigate\` stage is an XDP program: it sees each packet by itself, before the kernel knows of connections.
\`ct.state\` is the firewall's, and there only with \`stateful: true\`.
Move the rule to \`firewall.rules\`, or ask for what the packet says of itself, such as its TCP flags.`,
    example(
      "policy",
      'mitigate: [drop("strays", expr`ct.state == "invalid"`)]',
      'firewall: { default: "drop", stateful: true, rules: [drop("strays", expr`ct.state == "invalid"`)] }',
    ),
    "move the rule to `firewall.rules`, or ask for TCP flags",
  ),
  TG4004: error(
    message`rule \`${"rule"}\` logs packets in \`mitigate\`, which is not supported`,
    `The \`mitigate\` stage is an XDP program, and there is nobody yet to read what it would log. The firewall logs through
the kernel (NFLOG), and sees every packet that \`mitigate\` does not drop. To know how many packets match, use \`count\`,
which both stages have.`,
    example(
      "policy",
      'mitigate: [log("telnet", expr`tcp.dstport == 23`)]',
      'firewall: { default: "drop", rules: [log("telnet", expr`tcp.dstport == 23`)] }',
    ),
    "put it into the firewall, or write `count`",
  ),
  TG4010: error(
    message`no packet could take \`datapath: "xdp"\`: ${"reason"}`,
    `With "xdp" a packet that the firewall surely allows, and that any router would pass on, is encapsulated in XDP and
leaves from there. Packets that need the namespace take its way all the same; but here that would be all of them. Only a
stateless firewall can be asked in XDP (\`stateful: true\` tracks connections in the namespace, \`offload: "off"\` asks
XDP nothing), and only a route says where a packet goes.`,
    example(
      "policy",
      'datapath: "xdp", firewall: { default: "drop", stateful: true, rules: [] }',
      'datapath: "namespace", firewall: { default: "drop", stateful: true, rules: [] }',
    ),
    "leave `datapath` out",
  ),
  TG4030: error(
    message`more than ${"limit"} routes for ${"prefix"} share its packets`,
    `Routes of one prefix and one priority become a nexthop group of the kernel. Each change of a group is one message, which
has room for so many tunnels. Give some of the routes another priority, or split the prefix among them.`,
    example(
      "sketch",
      `routes: [{ prefix: "203.0.113.0/24", tunnel: "a1" }, …, { prefix: "203.0.113.0/24", tunnel: "a65" }]`,
      `routes: [{ prefix: "203.0.113.0/25", tunnel: "a1" }, …, { prefix: "203.0.113.128/25", tunnel: "a65" }]`,
    ),
    "give some of them another priority, or split the prefix",
  ),
  TG4050: error(
    message`the alternatives of rule \`${"rule"}\` multiply to more than ${"limit"} lines of nftables`,
    `nftables has no "or" inside a rule, so each way to match becomes a line of its own. An \`and\` of several
alternatives ((a or b) and (c or d) and …) multiplies them, and so does \`xor\`.
Write alternatives of one field as a set (tcp.dstport in {80 443}), keep addresses in a list, or split the rule:
the first of two rules with the same action says the same as their \`or\`.`,
    example(
      "sketch",
      "(tcp.dstport == 80 or tcp.dstport == 443 or …) and (ip.src == 192.0.2.1 or …) and (…)",
      "tcp.dstport in {80 443} and ip.src in {192.0.2.1 192.0.2.9}",
    ),
  ),
  TG4051: error(
    message`rule \`${"rule"}\` asks for a VLAN tag in the firewall`,
    `The firewall is nftables in the customer's own network namespace. Packets reach it through the kernel's IP layer, which
took the VLAN tag off with the rest of the Ethernet header, so \`eth.vlan\` has no value there.
Write the rule in \`mitigate\`: XDP sees the frame as it came from the wire.`,
    example(
      "policy",
      'firewall: { default: "drop", rules: [drop("guests", expr`eth.vlan == 7`)] }',
      'mitigate: [drop("guests", expr`eth.vlan == 7`)]',
    ),
    "write the rule in `mitigate`",
  ),
};

import { example, message, warning } from "../entry.js";

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
};

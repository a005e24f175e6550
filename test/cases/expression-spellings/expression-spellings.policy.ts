import { allow, drop, expr, gre, policy } from "tidegate";

// Every operator has two spellings, and each pair of rules means the same.
export default policy({
  customer: "spellings",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("words", expr`ip.src eq 192.0.2.1 and tcp.dstport ne 80 and not tcp.flags bitwise_and 0x12`),
    drop("signs", expr`ip.src == 192.0.2.1 && tcp.dstport != 80 && ! tcp.flags & 0x12`),
    drop("order-words", expr`udp.len lt 8 or udp.len gt 1400 xor udp.srcport le 9 or udp.srcport ge 60000`),
    drop("order-signs", expr`udp.len < 8 || udp.len > 1400 ^^ udp.srcport <= 9 || udp.srcport >= 60000`),
    // not binds tighter than and, and tighter than xor, xor tighter than or.
    drop("bare", expr`not tcp.flags.syn and tcp.flags.ack xor tcp.flags.fin or tcp.flags.reset`),
    drop("in-brackets", expr`(((not tcp.flags.syn) and tcp.flags.ack) xor tcp.flags.fin) or tcp.flags.reset`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow(
        "comments",
        expr`
          # the web, but
          tcp.dstport in {80 443}	# not
          and not ip.src in {198.51.100.0/24}   # "ours"
        `,
      ),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

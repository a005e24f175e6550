/** Every action: the verdicts, and those that a packet goes on from. */
import { allow, count, drop, expr, gre, limit, log, policy, reject } from "tidegate";

const server = "203.0.113.80";

export default policy({
  customer: "actions",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    count("tcp", expr`ip.proto == "tcp"`),
    count("web-or-dns", expr`tcp.dstport in {80 443} or udp.dstport == 53`),
    drop("telnet", expr`tcp.dstport == 23`),
    limit("pings", expr`icmp.type == 8`, { rate: "100/s", per: "ip.src" }),
    count("behind-the-limit", expr`icmp.type == 8`),
    allow("dns", expr`udp.dstport == 53`),
  ],
  firewall: {
    default: "reject",
    rules: [
      count("everything", expr`ip.ttl >= 1`),
      count("either", expr`tcp.dstport == 80 or ip.dst == ${server} or udp.dstport == 53`),
      log("syn", expr`tcp.flags.syn and not tcp.flags.ack`),
      log("each", expr`icmp.type == 8 or icmp6.type == 128`, { sample: 1 }),
      log("not-web", expr`not tcp.dstport == 80 and ip.dst == ${server}`, { sample: 7 }),
      reject("ident", expr`tcp.dstport == 113`),
      reject("odd", expr`not udp.dstport == 53 and ip.src in {192.0.2.0/25}`),
      allow("web", expr`tcp.dstport in {80 443}`),
      allow("dns-answer", expr`udp.dstport == 53`),
      drop("rest-of-tcp", expr`ip.proto == "tcp"`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});

/** Each operator with what its field has: addresses, numbers, names, flags. */
import { allow, expr, gre, list, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("order", expr`ip.src < 192.0.2.9`),
      allow("number", expr`ip.src == 80`),
      allow("address", expr`tcp.dstport == 192.0.2.7`),
      allow("flag", expr`tcp.flags.syn == 1`),
      allow("not-a-flag", expr`tcp.dstport and ip.proto == "tcp"`),
      allow("name", expr`ip.proto == "tpc"`),
      allow("name-of-port", expr`tcp.dstport == "http"`),
      allow("order-of-names", expr`ip.proto > "tcp"`),
      allow("too-large", expr`icmp.type in {0 8 256} or tcp.dstport >= 65536`),
      allow("bits-of-address", expr`ip.dst & 0xff`),
      allow("mixed", expr`ip.src in {10.0.0.0/8 fe80::/10 80}`),
      allow("list-of-ports", expr`tcp.dstport in ${list(["192.0.2.7"])}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

/** Numbers: decimal, hexadecimal, and octal behind a leading zero. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("decimal", expr`tcp.dstport == 80`),
      allow("hexadecimal", expr`tcp.dstport == 0x1F90 and tcp.flags & 0x0a`),
      allow("octal", expr`tcp.dstport == 0120 and ip.ttl > 017`),
      allow("zero", expr`udp.dstport == 0 or udp.dstport == 00 or udp.dstport == 0x0`),
      allow("largest", expr`udp.dstport == 65535 or gre.key == 4294967295`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

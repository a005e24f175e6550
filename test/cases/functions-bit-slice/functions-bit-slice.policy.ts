/** `bit_slice(header, from, to)`: bits that have no field of their own. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("reserved-bit", expr`bit_slice(ip, 48, 49) == 1 and ip.version == 4`),
    drop("urgent-pointer", expr`bit_slice(tcp, 144, 160) != 0 and not tcp.flags.urg`),
    drop("dns-any", expr`udp.dstport == 53 and bit_slice(udp, 80, 96) & 0x8000`),
  ],
  firewall: {
    default: "drop",
    rules: [
      drop("ping-id", expr`bit_slice(icmp, 32, 48) in {0 0xffff}`),
      allow("version", expr`bit_slice(ip, 0, 4) in {4 6} and bit_slice(tcp, 96, 100) == 5`),
      allow("across-bytes", expr`bit_slice(udp, 68, 76) == 0xab`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});

/** `payload.u8(n)` and its like: bytes behind the transport header, wherever that ends. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("magic", expr`payload.u32(0) == 0xffffffff and udp.dstport == 27015`),
    drop("first-byte", expr`payload.u8(0) in {0..8} and ip.proto == "udp"`),
    drop("http", expr`payload.u32(0) == 0x47455420 and tcp.dstport == 80`),
  ],
  firewall: {
    default: "drop",
    rules: [
      drop("too-short", expr`not payload.u16(2) >= 0 and udp.dstport == 53`),
      allow("query", expr`payload.u16(2) & 0x0100`),
      allow("echo-data", expr`icmp.type == 8 and payload.u8(3) != 0`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});

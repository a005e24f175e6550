/** The fields of both IP headers. A comparison holds at the place that the packet has. */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    drop("version", expr`ip.version == 6 and ip.proto == "udp"`),
    drop("length", expr`ip.len < 24 or ip.len in {1401..65575}`),
    drop("header-length", expr`ip.hdr_len > 20 and ip.hdr_len != 40`),
    drop("ttl", expr`ip.ttl <= 1`),
    drop("dscp", expr`ip.dscp == 46 and ip.ttl != 64`),
    drop("ecn", expr`ip.ecn == 3 and ip.dscp & 0x20`),
    drop("id", expr`ip.id == 0xabcd`),
    drop("option", expr`ip.opt.type in {131 137}`),
  ],
  firewall: {
    default: "drop",
    rules: [
      drop("version-4", expr`ip.version != 4 and ip.dscp == 0`),
      drop("long", expr`ip.len >= 1000`),
      drop("long-header", expr`ip.hdr_len == 24`),
      allow("near", expr`ip.ttl in {60..64 124..128 255}`),
      allow("marked", expr`ip.dscp in {10 12 14} or ip.ecn & 1`),
      allow("low-id", expr`ip.id < 256`),
      allow("any-option", expr`ip.opt.type >= 0`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [
    { prefix: "203.0.113.0/24", tunnel: "main" },
    { prefix: "2001:db8::/32", tunnel: "main" },
  ],
});

/** Addresses, prefixes, ranges and numbers that are none. */
import { allow, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("address", expr`ip.src in {192.0.2.256 192.0.2 2001:db8::g}`),
      allow("host-bits", expr`ip.src in {198.51.100.7/24 2001:db8::1/32}`),
      allow("length", expr`ip.src in {192.0.2.0/33 ::/129}`),
      allow("bare-prefix", expr`ip.src == 192.0.2.0/24`),
      allow("backwards", expr`tcp.dstport in {443..80} or ip.src in {192.0.2.9..192.0.2.1}`),
      allow("two-families", expr`ip.src in {192.0.2.1..2001:db8::1}`),
      allow("kinds", expr`ip.src in {80..192.0.2.1}`),
      allow("numbers", expr`tcp.dstport in {08 0xfg 8o 1_000 99999999999999999999}`),
      allow("text", expr`ip.proto == "tcp`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

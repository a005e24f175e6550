/** Ranges hold both ends; numbers, addresses and interpolated values can be ends. */
import { allow, expr, gre, policy } from "tidegate";

const low = 6000;
const first = "192.0.2.10";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("ports", expr`tcp.dstport in {20..21 80 8000..8099}`),
      allow("one", expr`tcp.dstport in {443..443}`),
      allow("neighbours", expr`udp.dstport in {10..19 20..29 30}`),
      allow("addresses", expr`ip.src in {192.0.2.1..192.0.2.6 198.51.100.0..198.51.100.255}`),
      allow("values", expr`udp.dstport in {${low}..${low + 63}} and ip.src in {${first}..192.0.2.20}`),
      allow("hexadecimal", expr`udp.dstport in {0x100..0x1ff}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

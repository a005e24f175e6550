/** Numbers of policies are those of JavaScript; what stands in an expression is a whole number. */
import { allow, expr, gre, limit, policy } from "tidegate";

const hex = 0x1f;
const grouped = 10_000;
const scientific = 1e3;
const base = 2 ** 10;
const rest = grouped % 7;
const half = Math.floor(grouped / 3);
const bits = (1 << 4) | 3;
const parsed = Number.parseInt("443", 10) + Number("1");

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    limit("pings", expr`icmp.type == 8`, { rate: `${scientific * 2}/s`, burst: base / 4 }),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("numbers", expr`tcp.dstport in ${[hex, grouped, scientific, base, rest, half, bits, parsed]}`),
      allow("order", expr`tcp.dstport == ${2 + 3 * 4 - (1 - 2)} and tcp.srcport > ${-5 + 1029}`),
      allow(1 < 2 && "a" < "b" && hex !== base ? "compared" : "not-compared", expr`tcp.window >= ${Math.min(64, 128)}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

/** A function may call itself as long as it comes to an end. */
import { allow, expr, gre, policy } from "tidegate";

const upTo = (n: number): readonly number[] => (n === 0 ? [] : [...upTo(n - 1), n]);
const powers = (port: number): readonly number[] => (port > 65_535 ? [] : [port, ...powers(port * 2)]);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("up-to-five", expr`tcp.dstport in ${upTo(5)}`),
      allow("powers", expr`udp.dstport in ${powers(1024)}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

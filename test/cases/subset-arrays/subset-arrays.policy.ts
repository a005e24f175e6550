/** The methods of arrays that change nothing. */
import { allow, expr, gre, policy } from "tidegate";

const ports = [443, 80, 8080, 22];
const low = ports.filter((port) => port < 1024);
const sorted = low.toSorted((a, b) => a - b);
const next = ports.map((port) => port + 1).slice(1, 3);
const merged = [...low, ...next].concat([53], 123);
const pairs = [[20, 21], [989, 990]].flat();
const range = Array.from({ length: 4 }, (_, index) => 6000 + index);
const highest = ports.reduce((most, port) => Math.max(most, port), 0);
const names = ["web", "mail"].toReversed().join("-and-");
const hasSsh = ports.includes(22) && ports.some((port) => port === 22) && !ports.every((port) => port > 22);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow(names, expr`tcp.dstport in ${sorted}`),
      allow("merged", expr`udp.dstport in ${merged}`),
      allow("pairs", expr`tcp.dstport in ${pairs}`),
      allow("range", expr`tcp.dstport in {${range[0] ?? 0}..${range.at(-1) ?? 0}}`),
      allow("highest", expr`tcp.dstport == ${highest} and tcp.srcport == ${ports.indexOf(8080)}`),
      allow(hasSsh ? "ssh" : "no-ssh", expr`tcp.dstport == ${ports.find((port) => port < 80) ?? 22}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

/** Objects are read by name and by index, listed, spread and made anew. */
import { allow, expr, gre, limit, policy } from "tidegate";

const base = { rate: "100/s", per: "ip.src" } as const;
const strict = { ...base, burst: 10 };
const servers = { web: "203.0.113.80", dns: "203.0.113.53" };
const key = "dns";
const doubled = Object.fromEntries(Object.entries({ a: 1, b: 2 }).map(([name, port]) => [name, port * 2]));
const web = servers.web;
const shorthand = { web, ["m" + "x"]: "203.0.113.25" };

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    limit("base", expr`udp.dstport == 53`, base),
    limit("strict", expr`icmp.type == 8`, strict),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("named", expr`ip.dst == ${servers.web}`),
      allow("by-index", expr`ip.dst == ${servers[key]}`),
      allow("values", expr`ip.dst in ${Object.values(servers)} and tcp.dstport in ${Object.values(doubled)}`),
      allow("keys", expr`tcp.dstport == ${Object.keys(servers).length}`),
      allow("made", expr`ip.dst == ${shorthand.web} or ip.dst in ${Object.values(shorthand)}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

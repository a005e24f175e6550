import { allow, drop, expr, gre, limit, list, policy } from "tidegate";
import blocked from "./lists/blocked.json";

// These addresses are reserved for documentation (RFC 5737): put your own in their place.
const web = "203.0.113.80";
const blockedSources = list(blocked);

export default policy({
  customer: "example",
  prefixes: ["203.0.113.0/24"],

  // First, in XDP on every edge server. The first rule that decides ends the stage; the rest goes on.
  mitigate: [
    drop("blocked", expr`ip.src in ${blockedSources}`),
    limit("syn-flood", expr`tcp.flags.syn and not tcp.flags.ack`, {
      rate: "5000/s",
      burst: 10_000,
      per: "ip.src",
    }),
  ],

  // Second, in nftables inside your own network namespace.
  firewall: {
    default: "drop",
    rules: [
      allow("ping", expr`icmp.type == 8`),
      // Routers say so when your packets are too long for a link: who never hears of it sends into nothing.
      allow("too-big", expr`icmp.type == 3 and icmp.code == 4`),
      allow("web", expr`ip.dst == ${web} and tcp.dstport in {80 443}`),
    ],
  },

  // Clean packets go to your router.
  tunnels: { home: gre({ remote: "192.0.2.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "home" }],

  // What `tidegate test` holds this policy to.
  tests: [
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.80:443 flags=S", expect: "allow", rule: "web" },
    { packet: "tcp 192.0.2.7:40000 > 203.0.113.80:22 flags=S", expect: "drop" },
    { packet: "icmp 192.0.2.7 > 203.0.113.9 type=8 code=0", expect: "allow", rule: "ping" },
    { packet: "icmp 192.0.2.1 > 203.0.113.80 type=3 code=4", expect: "allow", rule: "too-big" },
    { packet: "tcp 198.51.100.66:40000 > 203.0.113.80:443 flags=S", expect: "drop", rule: "blocked" },
  ],
});

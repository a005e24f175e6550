import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const web = { v4: "198.51.100.130", v6: "2001:db8:60b::80" };
const blocked = list(["192.0.2.128/25", "198.18.66.0/24", "2001:db8:bad::/48"]);

export default policy({
  customer: "globex",
  prefixes: ["198.51.100.128/25", "2001:db8:60b::/48"],

  mitigate: [
    drop("blocked", expr`ip.src in ${blocked}`),
    limit("icmp-flood", expr`ip.proto in {"icmp" "icmp6"}`, { rate: "100/s", burst: 50, per: "ip.src" }),
  ],

  firewall: {
    default: "drop",
    rules: [
      allow("ping", expr`icmp.type == 8 or icmp6.type == 128`),
      allow("too-big", expr`icmp.type == 3 and icmp.code == 4 or icmp6.type == 2`),
      allow("web", expr`ip.dst == ${web.v4} and tcp.dstport in {80 443}`),
      allow("web-v6", expr`ip.dst == ${web.v6} and tcp.dstport in {80 443}`),
      allow("quic", expr`ip.dst == ${web.v4} and udp.dstport == 443`),
    ],
  },

  tunnels: { berlin: gre({ remote: "198.51.100.2", key: 7 }) },
  routes: [
    { prefix: "198.51.100.128/25", tunnel: "berlin" },
    { prefix: "2001:db8:60b::/48", tunnel: "berlin" },
  ],

  tests: [
    { packet: "tcp 192.0.2.7:40000 > 198.51.100.130:443 flags=S", expect: "allow", rule: "web" },
    { packet: "tcp [2001:db8::7]:40000 > [2001:db8:60b::80]:443 flags=S", expect: "allow", rule: "web-v6" },
    { packet: "tcp 192.0.2.200:40000 > 198.51.100.130:443 flags=S", expect: "drop", rule: "blocked" },
    { packet: "icmp 192.0.2.1 > 198.51.100.130 type=3 code=4", expect: "allow", rule: "too-big" },
    { packet: "icmp6 2001:db8::1 > 2001:db8:60b::80 type=2 code=0", expect: "allow", rule: "too-big" },
    { packet: "udp 192.0.2.7:5000 > 198.51.100.130:443", expect: "allow", rule: "quic" },
    { packet: "tcp 192.0.2.7:40000 > 198.51.100.130:22 flags=S", expect: "drop" },
  ],
});

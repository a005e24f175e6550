import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "six",
  prefixes: ["2001:db8:f::/48"],
  mitigate: [
    drop("odd-length", expr`ip.src in {2001:db8:8000::/33 2001:db8:1:2:3:4:5:0/127}`),
    drop("range", expr`ip.src in {2001:db8::1..2001:db8::ff}`),
    drop("crosses-64", expr`ip.src in {2001:db8:0:1:ffff::..2001:db8:0:2::10}`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("one", expr`ip.dst == 2001:db8:f::80 and tcp.dstport == 443`),
      allow("not-one", expr`ip.dst != 2001:db8:f::25 and tcp.dstport == 25`),
      allow("quic", expr`ip.dst in {2001:db8:f::80 2001:db8:f:1::/64} and udp.dstport == 443`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "2001:db8:f::/48", tunnel: "main" }],
});

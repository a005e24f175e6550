import { allow, drop, expr, gre, policy } from "tidegate";

const web = [80, 443, 8080];

export default policy({
  customer: "ports",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("amplifiers", expr`udp.srcport in {19 53 123 161 389 1900 11211}`),
    drop("low-udp", expr`udp.dstport lt 1024 && udp.dstport ne 53`),
    drop("window-zero", expr`tcp.window == 0 and tcp.flags.syn`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport in ${web}`),
      allow("high", expr`tcp.dstport >= 0xc000 or udp.dstport > 49151`),
      allow("dns", expr`udp.dstport eq 53 and udp.len <= 512`),
      drop("edge-of-range", expr`tcp.dstport in {0 65535}`),
      allow("mail", expr`tcp.dstport in {25 110 143 465 587 993 995..1000}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

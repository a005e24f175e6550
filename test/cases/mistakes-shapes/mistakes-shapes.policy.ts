/** Options: what is missing, what is unknown, what is of another kind, and what is not there yet. */
import { allow, expr, gre, limit, log, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    limit("no-rate", expr`icmp.type == 8`, { burst: 10 }),
    limit("table", expr`icmp.type == 8`, { rate: "100/s", table: 1000 }),
    log("sampel", expr`icmp.type == 0`, { sampel: 10 }),
  ],
  firewall: { defualt: "drop", rules: allow("web", expr`tcp.dstport == 443`) },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
  mitigat: [],
  tests: [{ packet: "udp 192.0.2.7:53 > 203.0.113.9:9" }],
});

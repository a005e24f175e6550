/** TCP: ports, flags one by one and as a number, window, and the first option of kind "maximum segment size". */
import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("zero-window", expr`tcp.window == 0 and tcp.flags.syn`),
    drop("small-segments", expr`tcp.option.mss < 536`),
    drop("every-flag", expr`tcp.flags.fin and tcp.flags.syn and tcp.flags.reset and tcp.flags.push and tcp.flags.ack`),
    drop("urgent", expr`tcp.flags.urg and tcp.srcport < 1024`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("ecn", expr`tcp.flags.ecn xor tcp.flags.cwr`),
      allow("syn-only", expr`tcp.flags == 0x02 and tcp.option.mss in {1200..1460}`),
      allow("no-option", expr`tcp.flags.syn and not tcp.option.mss >= 0`),
      allow("answers", expr`tcp.srcport in {80 443} and tcp.dstport >= 1024`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

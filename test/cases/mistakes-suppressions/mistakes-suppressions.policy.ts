import { allow, drop, expr, gre, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],

  mitigate: [
    // tidegate-ignore TG3004
    drop("no-reason", expr`not tcp.dstport == 80`),
    // tidegate-ignore TG3004, TG3999: every protocol is meant
    drop("no-such-code", expr`not tcp.dstport == 81`),
    // tidegate-ignore: every protocol is meant
    drop("no-code", expr`not tcp.dstport == 82`),
    // tidegate-ignore TG2001: it will be there one day
    drop("an-error", expr`ip.sorce == 192.0.2.1`),
  ],

  firewall: {
    default: "drop",
    rules: [
      allow(
        "answered",
        expr`
          ip.src == 192.0.2.9
          # tidegate-ignore TG3004: every protocol is meant
          or not tcp.dstport == 83
          or not tcp.dstport == 84 # tidegate-ignore TG3004: here as well
        `,
      ),
    ],
  },

  tunnels: { chicago: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "chicago" }],
});

/** Modules of TypeScript: names, a default, other names, everything, and what another module passes on. */
import { allow, expr, gre, policy } from "tidegate";
import networks, { office as headquarters, plant } from "./networks.js";
import * as ports from "./ports.js";
import { web } from "./services/index.ts";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("headquarters", expr`ip.src in {${headquarters}} and tcp.dstport == ${ports.ssh}`),
      allow("plant", expr`ip.src in {${plant}} and tcp.dstport in ${ports.modbus}`),
      allow("networks", expr`ip.src in ${networks} and tcp.dstport == 443`),
      web("shop", "203.0.113.80"),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

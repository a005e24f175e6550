/** Rules and expressions that several policies share are in a module, and are this policy's own once imported. */
import { drop, expr, gre, policy } from "tidegate";
import { baseline, fromBogons } from "./baseline.js";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    ...baseline,
    drop("bogons-by-udp", expr`${fromBogons} and ip.proto == "udp"`),
  ],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

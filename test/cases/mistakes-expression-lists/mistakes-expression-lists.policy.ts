/** Lists of Cloudflare's kind have no name here; a list is a constant that is interpolated. */
import { allow, expr, gre, list, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("named", expr`ip.src in $partners`),
      allow("compared", expr`ip.src == ${list(["192.0.2.7"])}`),
      allow("in-a-set", expr`ip.src in {${list(["192.0.2.7"])} 192.0.2.8}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

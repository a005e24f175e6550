/** Values that cannot stand in an expression. */
import { allow, expr, gre, policy } from "tidegate";

const on = true;
const nothing = null;
const web = expr`tcp.dstport == 443`;
const rule = allow("web", web);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("boolean", expr`tcp.flags.syn and ${on}`),
      allow("null", expr`tcp.dstport == ${nothing}`),
      allow("object", expr`tcp.dstport == ${{ port: 80 }}`),
      allow("function", expr`tcp.dstport == ${() => 80}`),
      allow("rule", expr`${rule}`),
      allow("negative", expr`tcp.dstport == ${-1}`),
      allow("fraction", expr`tcp.dstport == ${80.5}`),
      allow("place", expr`tcp.dstport == ${web}`),
      allow("as-a-field", expr`${"tcp.dstport"} == 80`),
      allow("as-text", expr`ip.src == ${"192.0.2.7 or ip.ttl > 0"}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

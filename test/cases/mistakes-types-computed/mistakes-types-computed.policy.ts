/** Types that compute are refused, so that a check always ends. */
import { allow, expr, gre, policy } from "tidegate";

type Unwrap<T> = T extends readonly (infer Item)[] ? Item : T;
const port: Unwrap<number[]> = 443;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport == ${port}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

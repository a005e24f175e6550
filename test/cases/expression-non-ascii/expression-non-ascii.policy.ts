/** Text of other scripts in comments, names of constants and strings; places stay exact. */
import { allow, expr, gre, policy } from "tidegate";

const größe = 443;
const 網 = "198.51.100.0/24"; // 😀

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("chinese", expr`
        # 網路 😀
        ip.src in {${網}} and tcp.dstport == ${größe}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

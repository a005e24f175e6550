/** A list is one table, however many rules use it: named by its constant, through a helper, from another list of texts. */
import { allow, drop, expr, gre, list, policy } from "tidegate";

const networks = ["198.51.100.0/24", "192.0.2.0/25"];
const partners = list(networks);
const everyone = list([...networks, "2001:db8:a::/48", "192.0.2.200"]);
const fromList = (name: string, members: typeof partners) => allow(name, expr`ip.src in ${members}`);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("strangers", expr`not ip.src in ${everyone} and tcp.dstport == 22`),
  ],
  firewall: {
    default: "drop",
    rules: [
      fromList("partners", partners),
      fromList("everyone", everyone),
      allow("written-in-place", expr`ip.src in ${list(["100.64.0.0/10"])} and udp.dstport == 53`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

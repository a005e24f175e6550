/** Every kind of value in `${…}` is a typed part of the tree, never text pasted into the expression. */
import { allow, expr, gre, list, policy } from "tidegate";

const port = 80;
const address = "198.51.100.7";
const network = "198.51.100.0/24";
const ports = [25, 465];
const networks = ["192.0.2.0/25", "192.0.2.200", "10.0.0.1"];
const partners = list(["198.51.100.0/24", "2001:db8:7::/48"]);
const web = expr`tcp.dstport == 80 or tcp.dstport == 443`;
const protocol = "gre";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("number", expr`tcp.dstport == ${port} or tcp.dstport == ${port + 8000}`),
      allow("address", expr`ip.src == ${address} and tcp.dstport == 22`),
      allow("prefix", expr`ip.src in {${network}} and udp.dstport == 53`),
      allow("numbers", expr`tcp.dstport in ${ports} or tcp.dstport in {${ports} 587}`),
      allow("addresses", expr`ip.src in ${networks}`),
      allow("list", expr`ip.src in ${partners} and tcp.dstport == 179`),
      allow("expression", expr`${web} and ip.src == ${address}`),
      allow("name", expr`ip.proto == ${protocol}`),
      allow("made-in-place", expr`tcp.srcport == ${Math.min(...ports)} and ${ports.length > 1 ? web : expr`udp.dstport == 9`}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

import { allow, drop, expr, gre, list, policy } from "tidegate";

const web = [80, 443];
const first = 8000;
const office = "198.51.100.0/24";
const gateway = "198.51.100.254";
const partners = list(["192.0.2.0/25", "2001:db8:a::/48"]);
const fromOffice = expr`ip.src in {${office}} and not ip.src == ${gateway}`;
const transport = "udp";

// Values are nodes of the tree: an address in a text is an address, and an expression keeps its brackets.
export default policy({
  customer: "values",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    drop("numbers", expr`tcp.dstport in {0x50 017 ${first}..${first + 99}} or tcp.window == 00`),
    drop("mixed-set", expr`ip.src in {10.0.0.0/8 172.16.0.1..172.16.0.9 192.168.1.1}`),
    drop("six", expr`ip.src in {2001:db8::/32 ::ffff:192.0.2.1 fe80::1..fe80::ff}`),
    drop("text", expr`ip.proto == "\x74cp" and ip.proto == r"tcp" or ip.proto == ${transport} and ip.proto in {"icmp" 47}`),
  ],
  firewall: {
    default: "drop",
    rules: [
      allow("array", expr`tcp.dstport in ${web} or tcp.dstport in {22 ${web}}`),
      allow("list", expr`not ip.src in ${partners} and udp.dstport == 53`),
      allow("expression", expr`not ${fromOffice} and tcp.dstport == ${first}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

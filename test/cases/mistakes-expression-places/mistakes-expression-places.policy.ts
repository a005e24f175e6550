/** Places are exact in the file: behind interpolations, escapes, tabs, wide and combining characters, and over several lines. */
import { allow, expr, gre, policy } from "tidegate";

const größe = 80;
const 網路 = "198.51.100.0/24";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("behind-a-value", expr`tcp.dstport == ${größe} and ip.sorce == 192.0.2.7`),
      allow("behind-an-emoji", expr`ip.proto == "😀" or tcp.dstprot == 80`),
      allow("behind-a-tab", expr`	tcp.dstport	==	70000`),
      allow("behind-chinese", expr`ip.src in {${網路}} and ip.sorce == 192.0.2.7`),
      allow(
        "lines",
        expr`
          # ein Kommentar, größer als é (e + ◌́): é
          tcp.dstport == 80
          or tcp.dstprot == 80
        `,
      ),
      allow("escape", expr`ip.proto == "\x74cp" and tcp.dstprot == 80`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

/** `expr` is a tag, and the only one. */
import { allow, expr, gre, policy } from "tidegate";

const html = (text: TemplateStringsArray) => text[0];
const page = html`tcp.dstport == 443`;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("called", expr("tcp.dstport == 443")),
      allow("text", `tcp.dstport == 443`),
      allow("quoted", "tcp.dstport == 443"),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

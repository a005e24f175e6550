/** A value remembers where it came from: a wrong prefix is underlined where it was written, not where it is used. */
import { allow, expr, gre, policy } from "tidegate";

const sites = { chicago: { net: "198.51.100.0/33" }, paris: { net: "192.0.2.0/24" } };
const netOf = (name: "chicago" | "paris") => sites[name].net;
const rule = (name: "chicago" | "paris") => allow(name, expr`ip.src in {${netOf(name)}}`);
const port = { web: 80_000 };
const portRule = (name: string, { web }: typeof port) => allow(name, expr`tcp.dstport == ${web}`);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      rule("chicago"),
      rule("paris"),
      portRule("web", port),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

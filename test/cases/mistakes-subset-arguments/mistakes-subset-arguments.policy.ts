/** Functions are given what they take: of their own, of JavaScript, and of tidegate. */
import { allow, drop, expr, gre, policy } from "tidegate";

const portRule = (name: string, port: number) => allow(name, expr`tcp.dstport == ${port}`);
const none = () => {};
const few = portRule("web");
const many = portRule("web", 80, 443);
const parts = "a.b".split(1);
const repeated = "a".repeat(-1);
const joined = [1, 2].map(80);
const kept = [1, 2].filter("even");

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web"),
      drop("mail", expr`tcp.dstport == 25`, { rate: "5/s" }),
      none(),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

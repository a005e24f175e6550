/** Names: unknown, too early, twice, and what JavaScript has but a policy has not. */
import { allow, expr, gre, policy } from "tidegate";

const server = "203.0.113.80";
const early = late;
const late = 1;
const server = "203.0.113.81";
const now = Date.now();
const home = process.env.HOME;
const random = Math.random();
const [port, port] = [80, 443];

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`ip.dst == ${sever}`),
      alow("mail", expr`tcp.dstport == 25`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

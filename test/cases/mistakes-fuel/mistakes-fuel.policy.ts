/** Reading a policy always ends soon: values that double again and again are stopped. */
import { allow, expr, gre, policy } from "tidegate";

const double = (items: readonly number[]) => [...items, ...items];
const ten = (items: readonly number[]) => double(double(double(double(double(double(items))))));
const ports = ten(ten(ten(ten([80]))));

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("web", expr`tcp.dstport in ${ports}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

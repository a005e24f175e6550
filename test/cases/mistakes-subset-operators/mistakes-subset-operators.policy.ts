/** Operators take what they were made for: nothing is converted in silence. */
import { gre, policy } from "tidegate";

const ports = [80, 443];
const sum = "80" + 1;
const product = "8" * 2;
const compared = ports < 80;
const loose = 80 == "80";
const text = `ports ${ports}`;
const member = "web" in { web: 1 };
const negative = -"80";
const missing = undefined + 1;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

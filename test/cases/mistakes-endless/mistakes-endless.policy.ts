/** Reading a policy always ends: functions that call themselves for ever are stopped. */
import { gre, policy } from "tidegate";

const forever = (n: number): number => forever(n + 1);
const port = forever(0);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

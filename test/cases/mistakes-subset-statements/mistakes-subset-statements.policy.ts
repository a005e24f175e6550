/** A policy is read, never run: what can go on without end, or change something, is not part of it. */
import { gre, policy } from "tidegate";

let total = 0;
var old = 1;
for (const port of [80, 443]) {
  total += port;
}
while (total > 0) total--;
if (old === 1) {
  total = 2;
}
class Server {}
enum Port {
  web = 80,
}
namespace Inner {}
throw new Error("no");

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

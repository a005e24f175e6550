/** Values never change: every way to change one is refused with what to write instead. */
import { allow, expr, gre, policy } from "tidegate";

const ports = [443, 80];
const servers = { web: "203.0.113.80" };
ports.push(22);
const sorted = ports.sort();
ports.forEach((port) => port);
ports[0] = 8443;
servers.mail = "203.0.113.25";
delete servers.web;
Object.assign(servers, { dns: "203.0.113.53" });
const counted = ports.length++;

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

/** Rules that are computed from a table: one rule for each service, and none for those that are off. */
import { allow, expr, gre, policy } from "tidegate";

const services = {
  dns: { port: 53, on: true },
  ntp: { port: 123, on: true },
  tftp: { port: 69, on: false },
};
const servers = ["203.0.113.1", "203.0.113.2"];

const wanted = Object.entries(services).filter(([, { on }]) => on);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      ...wanted.map(([name, { port }]) => allow(name, expr`udp.dstport == ${port}`)),
      ...servers.flatMap((server, index) => [
        allow(`web-${index + 1}`, expr`ip.dst == ${server} and tcp.dstport in {80 443}`),
        allow(`ssh-${index + 1}`, expr`ip.dst == ${server} and tcp.dstport == 22`),
      ]),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

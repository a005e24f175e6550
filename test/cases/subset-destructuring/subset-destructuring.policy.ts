/** Arrays and objects are taken apart: with defaults, new names, rests, in constants and in parameters. */
import { allow, expr, gre, policy } from "tidegate";

const site = { name: "lab", hosts: ["203.0.113.1", "203.0.113.2", "203.0.113.3"], ports: { http: 80 } };
const { name, hosts: [first = "203.0.113.9", ...others], ports: { http, https = 443 } } = site as {
  name: string;
  hosts: string[];
  ports: { http: number; https?: number };
};
const [, second] = others;
const open = ({ to, port = 22 }: { to: string; port?: number }, [suffix]: readonly string[]) =>
  allow(`${name}-${suffix}`, expr`ip.dst == ${to} and tcp.dstport == ${port}`);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      open({ to: first }, ["ssh"]),
      open({ to: second ?? first, port: https }, ["https"]),
      allow("others", expr`ip.dst in ${others} and tcp.dstport == ${http}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

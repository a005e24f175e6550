/** Functions give values, and rules: with defaults, by `return`, and declared below their use. */
import { allow, drop, expr, gre, policy } from "tidegate";

const web = (name: string, server: string, ports: readonly number[] = [80, 443]) =>
  allow(name, expr`ip.dst == ${server} and tcp.dstport in ${ports}`);

function mail(server: string, ...others: readonly number[]) {
  const ports = [25, ...others];
  return allow("mail", expr`ip.dst == ${server} and tcp.dstport in ${ports}`);
}

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  mitigate: [
    noTelnet("telnet"),
  ],
  firewall: {
    default: "drop",
    rules: [
      web("shop", host(80)),
      web("admin", host(81), [8443]),
      mail(host(25), 465, 587),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
function host(last: number): string {
  return `203.0.113.${last}`;
}

function noTelnet(name: string) {
  return drop(name, expr`tcp.dstport == 23`);
}

/** A function can give a function, which keeps what it was made with. */
import { allow, expr, gre, policy } from "tidegate";

const within = (network: string) => (...ports: readonly number[]) =>
  expr`ip.src in {${network}} and tcp.dstport in ${ports}`;

const office = within("198.51.100.0/24");
const plant = within("192.0.2.0/25");
const twice = <T>(f: (value: T) => T) => (value: T) => f(f(value));
const next = (port: number) => port + 1;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("office", office(22, 3389)),
      allow("plant", plant(502)),
      allow("two-on", expr`tcp.dstport == ${twice(next)(8080)}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

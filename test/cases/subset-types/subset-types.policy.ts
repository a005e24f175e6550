/** Types are for the editor and `tsc`; a policy means the same without them. */
import { allow, drop, expr, gre, policy } from "tidegate";
import type { Expr } from "tidegate";

interface Service {
  readonly name: string;
  readonly port: number;
}
type Services = readonly Service[];
type Pick2<T> = readonly [T, T];

const services = [
  { name: "ssh", port: 22 },
  { name: "https", port: 443 },
] as const satisfies Services;
const ends: Pick2<number> = [8000, 8099];
const rule = <S extends Service>({ name, port }: S) => allow(name, expr`tcp.dstport == ${port}`);
const known = services[0]!.port as number;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      ...services.map(rule),
      allow("range", expr`tcp.dstport in {${ends[0]}..${ends[1]}}`),
      drop("known", expr`tcp.srcport == ${known}` satisfies Expr),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

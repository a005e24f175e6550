/** What TypeScript's own checker says, in Tidegate's form. */
import { allow, expr, gre, policy } from "tidegate";

interface Service {
  readonly name: string;
  readonly port: number;
}
const services: readonly Service[] = [{ name: "ssh", port: "22" }, { name: "https" }];
const rule = ({ name, port }: Service) => allow(name, expr`tcp.dstport == ${port}`);
const unused: number = "80";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      rule({ name: "web", port: 80, colour: "red" }),
      allow("twice", expr`tcp.dstport == 80`) as string,
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

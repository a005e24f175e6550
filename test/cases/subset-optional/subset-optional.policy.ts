/** What may be missing: `?.`, `??`, `?:`, `&&`, `||`, and optional parameters. */
import { allow, expr, gre, policy } from "tidegate";

interface Server {
  readonly address: string;
  readonly ports?: { readonly web?: number };
}
const servers: Readonly<Record<string, Server>> = {
  shop: { address: "203.0.113.80", ports: { web: 8443 } },
  blog: { address: "203.0.113.81" },
};
const none: number | undefined = 0;
const portOf = (name: string) => servers[name]?.ports?.web ?? 443;
const serverRule = (name: string, from?: string) =>
  from === undefined
    ? allow(name, expr`ip.dst == ${servers[name]?.address ?? "203.0.113.1"} and tcp.dstport == ${portOf(name)}`)
    : allow(name, expr`ip.src in {${from}} and tcp.dstport == ${portOf(name)}`);
const nobody = servers["wiki"] ?? null;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      serverRule("shop"),
      serverRule("blog", "198.51.100.0/24"),
      ...(nobody ? [allow("wiki", expr`ip.dst == ${nobody.address}`)] : []),
      allow("zero", expr`icmp.type == ${none ?? 8} or icmp.type == ${none || 8}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

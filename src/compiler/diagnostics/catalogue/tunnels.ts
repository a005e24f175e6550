import { error, example, message } from "../entry.js";

/** TG2060–TG2069: tunnels, and the routes into them. */
export const TUNNELS = {
  TG2060: error(
    message`there are two routes for ${"prefix"} into \`${"tunnel"}\` with the same priority`,
    `Routes of one prefix and one priority share its packets, each tunnel by its weight. A tunnel that stands there twice
would have two weights, of which it is not clear which one holds. Leave one of the two out, and give the other the weight
that is meant; or give them different priorities.`,
    example(
      "policy",
      `routes: [
  { prefix: "203.0.113.0/24", tunnel: "main", weight: 2 },
  { prefix: "203.0.113.0/24", tunnel: "main" },
]`,
      `routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }]`,
    ),
    "leave one of them out, or name another tunnel",
  ),
  TG2061: error(
    message`over IPv6 nothing can be inherited for \`df\``,
    `"Don't fragment" is a bit of IPv4's header. Routers never cut up a packet of IPv6, so for a tunnel to an IPv6 address
there is nothing to choose.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "2001:db8:ffff::1", df: "inherit" }) }',
      'tunnels: { main: gre({ remote: "2001:db8:ffff::1" }) }',
    ),
    "leave it out",
  ),
  TG2062: error(
    message`\`df\` can only be inherited by \`ipip\` together with \`ttl\`, which is ${"ttl"} here`,
    `Linux makes IP in IP over IPv4 with a device that forbids to cut up outer packets whenever their TTL is a fixed one
(ipip6_tunnel_ioctl in net/ipv6/sit.c): in a loop of tunnels they would multiply. Inherit both, or take \`gre\`.`,
    example(
      "policy",
      'tunnels: { main: ipip({ remote: "198.51.100.1", df: "inherit" }) }',
      'tunnels: { main: ipip({ remote: "198.51.100.1", df: "inherit", ttl: "inherit" }) }',
    ),
    'write `ttl: "inherit"`, too, or leave `df` out',
  ),
};

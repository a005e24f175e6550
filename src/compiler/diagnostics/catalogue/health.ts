import { error, example, message } from "../entry.js";

/** TG2090–TG2099: how a tunnel's router is asked whether it lives. */
export const HEALTH = {
  TG2090: error(
    message`\`health\` must be "off" or an object, not "${"value"}"`,
    `With an object each edge server asks through the tunnel whether its router lives, as the object says; \`{}\` asks every
second and takes three losses in a row for a dead router. "off" says that nobody asks, as does a tunnel without \`health\`.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "198.51.100.1", health: "on" }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1", health: {} }) }',
    ),
    "write `{}` to ask in the usual way",
  ),
  TG2091: error(
    message`"${"value"}" is not a time`,
    `A time is a whole number and a unit: ms (milliseconds), s (seconds) or m (minutes), such as "500ms" or "2s".`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "198.51.100.1", health: { interval: "0.5s" } }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1", health: { interval: "500ms" } }) }',
    ),
  ),
  TG2092: error(
    message`the ${"what"} of probes must be ${"bounds"}, not ${"value"}`,
    `Every edge server sends probes of its own, and a router answers all of them: ten a second from each is as much as any
should have to. Less than one a minute would notice a dead router after minutes only. An answer from the other side of the
world takes 300 ms; one that takes seconds is no help.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "198.51.100.1", health: { interval: "5ms" } }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1", health: { interval: "100ms" } }) }',
    ),
  ),
  TG2093: error(
    message`\`style\` must be "request" or "reply", not "${"value"}"`,
    `With "request", the default, an ICMP echo request goes through the tunnel to the target, who answers it. With "reply"
what goes through the tunnel is itself an ICMP echo reply, to the edge server: the router has only to pass it on like any
other packet, and need not answer anything.`,
    example(
      "policy",
      'tunnels: { main: gre({ remote: "198.51.100.1", health: { style: "ping" } }) }',
      'tunnels: { main: gre({ remote: "198.51.100.1", health: { style: "request" } }) }',
    ),
    'write "request" or "reply"',
  ),
  TG2094: error(
    message`probes of style "reply" need a \`target\``,
    `The probe is an ICMP echo reply that the router passes on to the edge server. It must seem to come from somebody, and the
only addresses that may leave the customer's network are those of its prefixes. Name one that no host of yours needs.`,
    example(
      "policy",
      `prefixes: ["203.0.113.0/24"],
tunnels: { main: gre({ remote: "198.51.100.1", health: { style: "reply" } }) }`,
      `prefixes: ["203.0.113.0/24"],
tunnels: { main: gre({ remote: "198.51.100.1", health: { style: "reply", target: "203.0.113.1" } }) }`,
    ),
    "add `target`: an address of this policy's prefixes",
  ),
  TG2095: error(
    message`the target ${"target"} of style "reply" is outside this policy's prefixes`,
    `Probes of this style seem to come from the target, and the router passes them on to the Internet. Providers take packets
from the customer's own prefixes only (BCP 38), and so does the edge where they come back through a tunnel.`,
    example(
      "policy",
      `prefixes: ["203.0.113.0/24"],
tunnels: { main: gre({ remote: "198.51.100.1", health: { style: "reply", target: "198.51.100.1" } }) }`,
      `prefixes: ["203.0.113.0/24"],
tunnels: { main: gre({ remote: "198.51.100.1", health: { style: "reply", target: "203.0.113.1" } }) }`,
    ),
    "give an address of this policy's prefixes",
  ),
  TG2096: error(
    message`\`noLiveTunnel\` must be "blackhole" or "use", not "${"value"}"`,
    `It says what becomes of packets to a prefix while no tunnel lives that its routes lead into. With "blackhole", the
default, the edge drops them until one lives again. With "use" they go into the dead tunnels as if these lived: if a
router is well, and only does not answer, they arrive.`,
    example(
      "policy",
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }) },
routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
noLiveTunnel: "drop"`,
      `tunnels: { main: gre({ remote: "198.51.100.1", health: {} }) },
routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
noLiveTunnel: "blackhole"`,
    ),
    'write "blackhole" or "use", or leave `noLiveTunnel` out',
  ),
};

import { example, message, warning } from "../entry.js";

/** TG3031–TG3039: files that are checked together, for one edge. */
export const TOGETHER = {
  TG3031: warning(
    message`the tunnel \`${"tunnel"}\` has the same remote and key as \`${"other"}\` of customer \`${"customer"}\``,
    `All tunnels of an edge begin at its anycast address. So of a packet that comes back, the remote and the key, if there is
one, are all that tells whose it is. An edge server that has one of the two customers refuses the other (TG5011). Give one
of the tunnels another \`key\`, at both ends.`,
    example(
      "sketch",
      'acme: gre({ remote: "198.51.100.1" }), globex: gre({ remote: "198.51.100.1" })',
      'acme: gre({ remote: "198.51.100.1", key: 1 }), globex: gre({ remote: "198.51.100.1", key: 2 })',
    ),
    "give one of them another `key`, at both ends",
  ),
  TG3032: warning(
    message`the remote ${"remote"} of the tunnel \`${"tunnel"}\` lies in ${"prefix"} of customer \`${"customer"}\``,
    `Packets to that prefix come to the edge, whoever sends them. Outer packets of the tunnel would come back by the next
router, be judged by the other customer's policy and go into that one's tunnels: to the wrong place, or around in a loop.
An edge server that has one of the two customers refuses the other (TG5026).`,
    example(
      "sketch",
      'acme: gre({ remote: "198.51.100.1" }), globex: prefixes: ["198.51.100.0/24"]',
      'acme: gre({ remote: "192.0.2.1" })',
    ),
    "give an address of the router that is in no customer's prefix",
  ),
  TG3033: warning(
    message`the remote ${"remote"} of the tunnel \`${"tunnel"}\` is the edge's own anycast address`,
    `Every server of the edge has that address itself: what goes into the tunnel would come out of it again on the same
server, as if the customer had sent it. An edge server refuses the policy (TG5028). The remote is the customer's router.`,
    example(
      "sketch",
      'gre({ remote: "198.18.0.1" }), and anycast: ["198.18.0.1"] in edge.ts',
      'gre({ remote: "198.51.100.1" })',
    ),
    "give the address of the customer's router",
  ),
};

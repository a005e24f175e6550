/** `not` binds tighter than `and`, that tighter than `xor`, that tighter than `or`; brackets say otherwise. */
import { allow, expr, gre, policy } from "tidegate";

const a = expr`tcp.flags.syn`;
const b = expr`tcp.flags.ack`;
const c = expr`tcp.flags.fin`;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow("and-or", expr`${a} or ${b} and ${c}`),
      allow("and-or-brackets", expr`(${a} or ${b}) and ${c}`),
      allow("xor-or", expr`${a} or ${b} xor ${c}`),
      allow("xor-and", expr`${a} xor ${b} and ${c}`),
      allow("xor-and-brackets", expr`(${a} xor ${b}) and ${c}`),
      allow("not-and", expr`not ${a} and ${b}`),
      allow("not-brackets", expr`not (${a} and ${b}) and ip.proto == "tcp"`),
      allow("not-not", expr`not not ${a}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

/** What is no TypeScript is told by TypeScript's own parser, where it stumbles. */
import { allow, expr, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"]
  firewall: { default: "drop", rules: [allow("web", expr`tcp.dstport == 443`)] },
});

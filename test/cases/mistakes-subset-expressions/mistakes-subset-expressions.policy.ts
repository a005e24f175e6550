/** Expressions of TypeScript that policies do not have. */
import { gre, policy } from "tidegate";

const made = new Map();
const later = async () => 80;
const several = function* () {};
const pattern = /^web/;
const self = this;
const tagged = String.raw`web`;
const loaded = import("./other.js");
const kind = typeof 80;
const nothing = void 0;
const big = 10n;
const asserted = <number>80;
const both = (1, 2);

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});

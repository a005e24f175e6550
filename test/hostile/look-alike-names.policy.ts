// TG1022 TG2020
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const acme = 1;
const \u0061cme = 2;

export default policy({
  customer: "аcme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] },
});

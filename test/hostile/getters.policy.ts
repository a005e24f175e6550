// TG1030 TG1030 TG1044 TG1030
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const trap = {
  get customer() { return "globex"; },
  set customer(value) { },
  toString() { return "globex"; },
};

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

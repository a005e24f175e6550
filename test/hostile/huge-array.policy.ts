// TG1003
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const a = Array.from({ length: 1e15 }, () => "203.0.113.0/24");

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

// TG1003
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const a = "x".repeat(1_000_000);
const b = `${a}${a}${a}`;

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

// TG1003
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const a = "x".repeat(2 ** 53 - 1);
const b = `${a}${a}`.padStart(2 ** 40);

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

// TG1060
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const both = (n: number): number => both(n + 1) + both(n - 1);
const all = both(0);

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

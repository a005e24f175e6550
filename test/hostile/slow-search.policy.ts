// TG1003
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const hay = "a".repeat(600_000);
const needle = `b${"a".repeat(200_000)}`;
const found = [1, 2, 3].map(() => hay.includes(needle));

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

// TG1003
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const a = Array.from({ length: 1000 }, (_, i) => i);
const b = a.map(() => [...a, ...a, ...a]);
const c = b.map(() => [...b, ...b]);

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

// TG1045 TG1045 TG1045 TG1041
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const base = { ["__proto__"]: { customer: "globex" }, "__proto__": 1 };
const more = Object.fromEntries([["__proto__", { customer: "globex" }]]);
const inherited = {}.constructor;

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

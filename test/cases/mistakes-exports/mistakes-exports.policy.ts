/** A file has one default export, and exports each name once. */
import { allow, expr, policy } from "tidegate";

const web = allow("web", expr`tcp.dstport == 443`);

export const rules = [web];
export { web as rules };
export default { customer: "acme", firewall: { default: "drop", rules: [web] } };
export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules } });

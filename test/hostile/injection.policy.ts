// TG2004
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const port = "80 or ip.src == 0.0.0.0/0";
const rule = allow("a", expr`tcp.dstport == ${port}`);

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [rule] } });

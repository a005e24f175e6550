// TG1012 TG1020 TG1020
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

import { drоp } from "tidegate";
const one = аllow("a", expr`tcp.dstport == 80`);
const two = еxpr`tcp.dstport == 80`;

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

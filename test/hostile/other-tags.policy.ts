// TG1020 TG1020 TG1054 TG1054
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const one = raw`ip.src == 192.0.2.1`;
const two = sql`drop table`;
const three = drop`a`;
const tag = (text: any) => text;
const four = tag`a`;

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

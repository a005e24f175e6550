// TG1060
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const ping = (f: any): any => pong(f);
const pong = (f: any): any => f(ping(f));
const all = ((x: any) => x(x))((x: any) => x(x)) + ping(pong);

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

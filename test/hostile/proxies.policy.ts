// TG1030 TG1030 TG1034 TG1034 TG1020
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const one = new Proxy({}, {});
const two = new Function("return 1");
const three = Object.defineProperty({}, "a", { value: 1 });
const four = Object.setPrototypeOf({}, null);
const five = Reflect.ownKeys({});

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

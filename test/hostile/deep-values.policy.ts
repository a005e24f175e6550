// TG1002
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const nest = (value: any, levels: number): any => (levels === 0 ? value : nest([[[[[[[[[[value]]]]]]]]]], levels - 1));
const again = (value: any) => nest(nest(value, 50), 50);
const deep = again([1]);
const flat = deep.flat(Infinity);

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

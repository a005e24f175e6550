// TG1041 TG1041 TG1041 TG1041
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const one = [].constructor.constructor("return process")();
const two = "".constructor.constructor("return this")();
const three = (() => 1).constructor("return process.env")();
const four = expr.constructor`return process`;

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

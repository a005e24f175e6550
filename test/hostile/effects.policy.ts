// TG1020 TG1020 TG1020 TG1030 TG1030 TG1034 TG1032 TG1030 TG1030
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const one = process.exit(1);
const two = console.log("hello");
const three = fetch("https://example.com");
const four = await Promise.resolve(1);
const five = [1].length = 5;
const six = [1].push(2);
let seven = 1;
while (true) {}
throw 1;

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

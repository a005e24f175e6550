// TG1030 TG1030 TG1020 TG1020
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const one = import("node:fs");
const two = import.meta.url;
const three = require("fs");
const four = eval("1");

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

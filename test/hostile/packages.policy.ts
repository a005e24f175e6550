// TG1011 TG1011 TG1011 TG1011 TG1011
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

import fs from "fs";
import { execSync } from "node:child_process";
import data from "data:text/javascript,export default 1";
import file from "file:///etc/passwd";
import typescript from "typescript";

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

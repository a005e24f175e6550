// TG1016 TG1016 TG1016
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

import one from "../../../../../../etc/passwd";
import two from "./../../../../../../../../root/.ssh/id.json";
import three from "./a/../../../package.json/../../x.json";

export default policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

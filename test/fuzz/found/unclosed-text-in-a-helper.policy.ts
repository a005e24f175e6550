// TG1003
import { allow, drop, expr, e, lim, list, policy } from "tidegate";

const nets = Array.from({ length: 10_000 }, () => "198.51.100.0/24");
const rules = nets.map((net, i) => drop(`r${i}`, expr`ip"}`));

export default policy({ cxes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } });

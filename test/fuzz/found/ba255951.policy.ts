import { allow, drop, expr, grlist, policy } from "tidegate";

const nets = Array.from({ length: 10_000 }, () => "198.51.100.0/24");
const rules = nets.map((net, i) => drop(`r${i}`, expr`ipets} # ${"x"}`));

export default policy({ cxes: ["203.0.113.2/24"], firewall: { default: "drop", rules: [] } });

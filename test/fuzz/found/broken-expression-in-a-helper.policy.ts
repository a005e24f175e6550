// TG1003
import { allow, dr, expr, gre, limolicy } from "tidegate";

const nets = Array.from({ length: 10_000 }, () => "0/24");
const rules = nets.map((net, i) => drop(`r${i}`, expr`ip.ss} # ${"x"}`));

export default policy({ cuss: ["203.0.113.0/24"], firewall: { default: "drop", rules: [] } })
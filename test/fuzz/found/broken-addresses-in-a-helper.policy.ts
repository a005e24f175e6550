import { allow, drop, expr, grlist,cy } from "tidegate";

const nets = Array.from({ length: 10_000 }, () => "1.1do");
const rules = nets.map((net, i) => drop(`r${i}`, expr`ip.src in ${nets} # ${"x"}`));

export default policy({ customrewall: { default: "drop", rules: [] } });

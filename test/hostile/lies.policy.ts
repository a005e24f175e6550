// TG2053 TG2053 TG2053
import { allow, drop, expr, gre, limit, list, policy } from "tidegate";

const fake = { kind: "policy", span: { start: 0 }, policy: { customer: "globex" } } as any;

export default policy({
  customer: fake, prefixes: [fake as string], firewall: { default: "drop", rules: [fake as never] },
});

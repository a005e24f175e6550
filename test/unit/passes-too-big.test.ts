import { describe, expect, test } from "vitest";
import { analyzeAny } from "../../src/compiler/compile.js";

/** Rules that keep from hosts what routers say of their packets. */

interface Parts {
  readonly byDefault?: string;
  readonly mitigate?: string;
  readonly rules?: string;
}

function warnings({ byDefault = "allow", mitigate = "", rules = "" }: Parts): readonly string[] {
  const text = `import { allow, count, drop, expr, gre, limit, policy, reject } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  mitigate: [${mitigate}],
  firewall: { default: "${byDefault}", rules: [${rules}] },
});`;
  const { diagnostics } = analyzeAny("acme.policy.ts", text);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return diagnostics.filter(({ code }) => code === "TG3020").map(({ message }) => message);
}

const FOUR =
  "keeps ICMP's “fragmentation needed” from your hosts, such as `icmp 192.0.2.1 > 203.0.113.1 type=3 code=4`";
const SIX =
  "keeps ICMPv6's “packet too big” from your hosts, such as `icmp6 2001:db8::1 > 2001:db8:a::1 type=2 code=0`";

describe("packets that are too big", () => {
  test.each<[string, Parts, readonly string[]]>([
    ["all of ICMP", { rules: 'drop("a", expr`ip.proto == "icmp"`)' }, [`\`a\` ${FOUR}`]],
    ["in mitigate", { mitigate: 'drop("a", expr`icmp6.type < 128`)' }, [`\`a\` ${SIX}`]],
    [
      "rejected",
      { rules: 'reject("a", expr`ip.proto in {"icmp" "icmp6"}`)' },
      [`\`a\` ${FOUR}`, `\`a\` ${SIX}`],
    ],
    [
      "all that is not TCP",
      { rules: 'drop("a", expr`ip.proto != "tcp"`)' },
      [`\`a\` ${FOUR}`, `\`a\` ${SIX}`],
    ],
    [
      "by two rules together, of which one drops more",
      {
        rules:
          'drop("a", expr`ip.proto == "icmp" and ip.src in {10.0.0.0/8}`), drop("b", expr`icmp.type == 3`)',
      },
      [`\`b\` ${FOUR}`],
    ],
    ["over a rate is not all", { rules: 'limit("a", expr`ip.proto == "icmp"`, { rate: "5/s" })' }, []],
    ["of some sources", { rules: 'drop("a", expr`ip.proto == "icmp" and ip.src in {10.0.0.0/8}`)' }, []],
    ["to some hosts", { rules: 'drop("a", expr`ip.proto == "icmp" and ip.dst == 203.0.113.1`)' }, []],
    ["pings alone", { rules: 'drop("a", expr`icmp.type == 8 or icmp6.type == 128`)' }, []],
    [
      "let through before",
      { rules: 'allow("b", expr`icmp.type == 3 and icmp.code == 4`), drop("a", expr`ip.proto == "icmp"`)' },
      [],
    ],
    [
      "let through behind",
      { rules: 'drop("a", expr`ip.proto == "icmp"`), allow("b", expr`icmp.type == 3 and icmp.code == 4`)' },
      [`\`a\` ${FOUR}`],
    ],
    ["with all that is left", { rules: 'drop("a", expr`ip.version in {4 6}`)' }, []],
    ["by default", { byDefault: "drop" }, []],
  ])("%s", (_, parts, expected) => {
    expect(warnings(parts)).toEqual(expected);
  });
});

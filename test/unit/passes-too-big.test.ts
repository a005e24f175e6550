import { describe, expect, test } from "vitest";
import { analyzeAny } from "../../src/compiler/compile.js";
import type { Diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";

/** Rules that keep from hosts what routers say of their packets. */

interface Parts {
  readonly byDefault?: string;
  readonly mitigate?: string;
  readonly rules?: string;
  readonly stateful?: boolean;
}

function found({
  byDefault = "allow",
  mitigate = "",
  rules = "",
  stateful = false,
}: Parts): readonly Diagnostic[] {
  const text = `import { allow, count, drop, expr, gre, limit, policy, reject } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  mitigate: [${mitigate}],
  firewall: { default: "${byDefault}", rules: [${rules}], stateful: ${stateful} },
});`;
  const { diagnostics } = analyzeAny("acme.policy.ts", text);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return diagnostics;
}

function codes(parts: Parts): readonly string[] {
  return found(parts).map(({ code }) => code);
}

function warnings(parts: Parts): readonly string[] {
  return found(parts).flatMap(({ code, message }) => (code === "TG3020" ? [message] : []));
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

describe("packets that are too big, where TCP is let through and they are with all that is left", () => {
  const WEB = 'allow("web", expr`tcp.dstport == 443`)';
  const REST = 'drop("rest", expr`ip.version in {4 6}`)';
  const FOUR_OUT = 'allow("big", expr`icmp.type == 3 and icmp.code == 4`)';
  const BOTH_OUT = 'allow("big", expr`icmp.type == 3 and icmp.code == 4 or icmp6.type == 2`)';
  const FOUR_HINT = "icmp.type == 3 and icmp.code == 4";

  test.each<[string, Parts, readonly string[]]>([
    ["by default", { byDefault: "drop", rules: WEB }, [`default: ${FOUR_HINT} or icmp6.type == 2`]],
    [
      "rejected by default",
      { byDefault: "reject", rules: WEB },
      [`default: ${FOUR_HINT} or icmp6.type == 2`],
    ],
    ["by a rule", { rules: `${WEB}, ${REST}` }, [`rest: ${FOUR_HINT} or icmp6.type == 2`]],
    ["but those of IPv4", { byDefault: "drop", rules: `${WEB}, ${FOUR_OUT}` }, ["default: icmp6.type == 2"]],
    ["but all of them", { byDefault: "drop", rules: `${WEB}, ${BOTH_OUT}` }, []],
    [
      "but some of partners'",
      {
        byDefault: "drop",
        rules: `${WEB}, allow("p", expr\`ip.src in {192.0.2.0/24} or ip.src in {2001:db8:7::/48}\`)`,
      },
      [],
    ],
    ["where no TCP comes through", { byDefault: "drop", rules: 'allow("dns", expr`udp.dstport == 53`)' }, []],
    [
      "where TCP of IPv4 alone comes through",
      { byDefault: "drop", rules: 'allow("web", expr`ip.dst == 203.0.113.9 and tcp.dstport == 443`)' },
      [`default: ${FOUR_HINT}`],
    ],
    ["where nothing comes through", { byDefault: "drop" }, []],
    [
      "where TCP ends in mitigate",
      { byDefault: "drop", rules: WEB, mitigate: 'drop("t", expr`ip.proto == "tcp"`)' },
      [],
    ],
    [
      "where connections are tracked, and nothing asks for it",
      { byDefault: "drop", rules: WEB, stateful: true },
      [`default: ${FOUR_HINT} or icmp6.type == 2`],
    ],
    [
      "but what belongs to connections",
      {
        byDefault: "drop",
        rules: `${WEB}, allow("own", expr\`ct.state in {"established" "related"}\`)`,
        stateful: true,
      },
      [],
    ],
  ])("%s", (_, parts, expected) => {
    const own = found(parts).filter(({ code }) => code === "TG3021");
    const said = own.map(({ message, hint }) => {
      const who = message.includes("`rest`") ? "rest" : "default";
      expect(message).toContain(
        who === "rest" ? "`rest` keeps" : `the firewall's default \`${parts.byDefault}\` keeps`,
      );
      return `${who}: ${/expr`(.*?)`/.exec(hint ?? "")?.[1]}`;
    });
    expect(said).toEqual(expected);
  });

  const hintOf = (parts: Parts) => found(parts).find(({ code }) => code === "TG3021")?.hint ?? "";
  const ADDED = `allow("too-big", expr\`${FOUR_HINT} or icmp6.type == 2\`)`;

  test("it is a note at the default, and the hint is all that it takes", () => {
    const parts = { byDefault: "drop", rules: WEB };
    const [said] = found(parts).filter(({ code }) => code === "TG3021");
    expect(said).toMatchObject({ severity: "note", span: { line: 6, column: 24, endColumn: 30 } });
    expect(said?.hint).toBe(`add ${ADDED}`);
    expect(codes({ ...parts, rules: `${WEB}, ${ADDED}` })).toEqual(codes({}));
  });

  test("a rule for all that is left has to come behind the one of the hint", () => {
    expect(hintOf({ rules: `${WEB}, ${REST}` })).toBe(`add ${ADDED} before \`rest\``);
    expect(codes({ rules: `${WEB}, ${ADDED}, ${REST}` })).not.toContain("TG3021");
  });

  test("the hint's rule has a name that no other has", () => {
    const half = FOUR_OUT.replace("big", "too-big");
    expect(hintOf({ byDefault: "drop", rules: `${WEB}, ${half}` })).toContain('allow("too-big-2", ');
    const rest = 'drop("rest", expr`ip.version == 6`)';
    const hints = found({ byDefault: "drop", rules: `${WEB}, ${rest}` }).flatMap(({ code, hint }) =>
      code === "TG3021" ? [/allow\("(.*?)"/.exec(hint ?? "")?.[1]] : [],
    );
    expect(hints.sort()).toEqual(["too-big", "too-big-2"]);
  });

  test("a comment suppresses it", () => {
    const text = `import { allow, expr, policy } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  // tidegate-ignore TG3021: every path carries whatever is sent
  firewall: { default: "drop", rules: [${WEB}] },
});`;
    const { diagnostics, suppressed } = analyzeAny("acme.policy.ts", text);
    expect(diagnostics.map(({ code }) => code)).not.toContain("TG3021");
    expect(suppressed.map(({ diagnostic }) => diagnostic.code)).toContain("TG3021");
  });
});

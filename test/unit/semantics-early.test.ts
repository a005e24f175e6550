import { describe, expect, test } from "vitest";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import type { Firewall, Rule } from "../../src/compiler/ir/policy.js";
import { countersOf, evaluate, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { and, bits, constant, limit, not, number, or, policy, rule, xor } from "../support/ir.js";

type Options = Partial<Omit<Firewall, "rules">>;

function judge(rules: readonly Rule[], text: string, options: Options = {}): Trace {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") throw new Error(text);
  const firewall: Firewall = { default: "drop", stateful: false, offload: "auto", ...options, rules };
  return evaluate({ ...policy([]), firewall }, parsed.bytes, newState(), 0n, parsed.surroundings);
}

/** `VERDICT RULE in WHERE`; what is allowed has no route, and ends there. */
function outcome(rules: readonly Rule[], text: string, options?: Options): string {
  const { verdict, stage, rule: name, where } = judge(rules, text, options);
  return stage === "route" ? `on, in ${where}` : `${verdict} ${name ?? "default"} in ${where}`;
}

const WEB = "tcp 192.0.2.7:40000 > 203.0.113.9:80 flags=S";
const SSH = "tcp 192.0.2.7:40000 > 203.0.113.9:22 flags=S";
const UDP = "udp 192.0.2.7:40000 > 203.0.113.9:80";

const web = number("tcp.dstport", 80);
const invalid = number("ct.state", CT_STATES.invalid);
const dropWeb = rule("web", "drop", web);

describe("the early step", () => {
  test.each<[string, readonly Rule[], string, string]>([
    ["a drop that matches", [dropWeb], WEB, "drop web in xdp"],
    ["the default, where nothing matches", [dropWeb], SSH, "drop default in xdp"],
    ["the default, without rules", [], SSH, "drop default in xdp"],
    ["an allow goes on", [rule("web", "allow", web)], WEB, "on, in namespace"],
    ["a reject goes on", [rule("web", "reject", web)], WEB, "reject web in namespace"],
    [
      "a count that matches ends it",
      [rule("n", { kind: "count" }, web), dropWeb],
      WEB,
      "drop web in namespace",
    ],
    [
      "a count that misses does not",
      [rule("n", { kind: "count" }, web), dropWeb],
      SSH,
      "drop default in xdp",
    ],
    [
      "a limit that matches ends it",
      [rule("n", limit(1, 1, null), web), dropWeb],
      WEB,
      "drop web in namespace",
    ],
    [
      "a log that matches ends it",
      [rule("n", { kind: "log", sample: 1 }, web)],
      WEB,
      "drop default in namespace",
    ],
  ])("%s", (_, rules, text, expected) => {
    expect(outcome(rules, text)).toBe(expected);
  });

  test("a default that is not drop lets packets go on", () => {
    expect(judge([dropWeb], SSH, { default: "allow" }).where).toBe("namespace");
    expect(outcome([dropWeb], SSH, { default: "reject" })).toBe("reject default in namespace");
    expect(outcome([dropWeb], WEB, { default: "allow" })).toBe("drop web in xdp");
  });

  test("off, all is the namespace's", () => {
    expect(outcome([dropWeb], WEB, { offload: "off" })).toBe("drop web in namespace");
    expect(outcome([dropWeb], SSH, { offload: "off" })).toBe("drop default in namespace");
  });

  test("only so many rules are looked at, and the default only behind all of them", () => {
    const rules = [rule("udp", "drop", number("ip.proto", 17)), dropWeb];
    expect(outcome(rules, WEB, { earlyRules: 1 })).toBe("drop web in namespace");
    expect(outcome(rules, SSH, { earlyRules: 1 })).toBe("drop default in namespace");
    expect(outcome(rules, UDP, { earlyRules: 1 })).toBe("drop udp in xdp");
    expect(outcome(rules, SSH, { earlyRules: 2 })).toBe("drop default in xdp");
  });

  test("stands before what the kernel drops by itself", () => {
    expect(judge([dropWeb], `${WEB} ttl=1`)).toMatchObject({ rule: "web", gate: null, where: "xdp" });
    expect(judge([rule("web", "allow", web)], `${WEB} ttl=1`).gate?.reason).toBe(
      "its time to live ends here",
    );
  });

  test("counts once, and says which rules were tried", () => {
    const trace = judge([rule("known", "allow", number("tcp.dstport", 443)), dropWeb], WEB);
    expect(trace.steps.map(({ rule: { name }, outcome: how }) => `${name} ${how}`)).toEqual([
      "known miss",
      "web drop",
    ]);
    expect([countersOf(trace, "mitigate"), countersOf(trace, "firewall")]).toEqual([[null], ["web"]]);
  });
});

describe("what hangs on a connection is unknown", () => {
  const unknown = invalid;
  const stateful = { stateful: true };

  test.each([
    ["ct", invalid, "namespace"],
    ["not ct", not(unknown), "namespace"],
    ["ct and true", and(unknown, constant(true)), "namespace"],
    ["ct and false", and(unknown, number("tcp.dstport", 81)), "xdp"],
    ["ct or true", or(unknown, web), "xdp"],
    ["ct or false", or(unknown, number("tcp.dstport", 81)), "namespace"],
    ["ct xor true", xor(web, unknown), "namespace"],
    ["no part of it", bits("tcp.flags", 0x02), "xdp"],
    ["(ct xor true) and false", and(xor(web, unknown), constant(false)), "xdp"],
  ])("%s", (_, match, where) => {
    expect(judge([rule("x", "drop", match)], WEB, stateful).where).toBe(where);
    // What the connection really is makes no difference to where, only to what becomes of the packet.
    expect(judge([rule("x", "drop", match)], `${WEB} ct=invalid`, stateful).where).toBe(where);
  });

  test.each(["frag=0+", "frag=8", "frag=8+"])("a fragment goes on to a stateful firewall: %s", (frag) => {
    expect(judge([], `udp 192.0.2.7:40000 > 203.0.113.9:80 id=1 ${frag}`, stateful)).toMatchObject({
      held: true,
      where: "namespace",
    });
    expect(judge([], `udp 192.0.2.7:40000 > 203.0.113.9:80 id=1 ${frag}`).where).toBe("xdp");
  });

  test("also an IPv6 one that is its whole datagram", () => {
    const atomic = "udp [2001:db8:7::1]:1 > [2001:db8::9]:80 id=7 frag=0";
    expect(judge([], atomic, stateful).where).toBe("namespace");
    expect(judge([], atomic).where).toBe("xdp");
  });
});

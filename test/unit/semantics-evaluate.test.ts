import { describe, expect, test } from "vitest";
import { formatAddress, parsePrefix } from "../../src/compiler/ir/address.js";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import type { Action, Offload, Policy, Rule, Verdict } from "../../src/compiler/ir/policy.js";
import { printExpr } from "../../src/compiler/ir/print.js";
import {
  countersOf,
  evaluate,
  evaluateFrame,
  evaluateReturn,
} from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import {
  address,
  and,
  bits,
  constant,
  inList,
  limit,
  list,
  not,
  number,
  or,
  policy,
  rule,
  spanAt,
  xor,
} from "../support/ir.js";
import { asking, askingBoth, PROBE_ANSWERS } from "../support/probe-answers.js";

function bytesOf(text: string): Uint8Array {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") throw new Error(JSON.stringify(parsed.problems));
  return parsed.bytes;
}

function route(text: string, tunnel: string, priority = 100): Policy["routes"][number] {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(text);
  return { prefix: parsed.prefix, tunnel, priority, weight: 1, span: spanAt(9) };
}

interface Parts {
  readonly mitigate?: readonly Rule[];
  readonly rules?: readonly Rule[];
  readonly default?: Verdict;
  readonly stateful?: boolean;
  readonly offload?: Offload;
  readonly routes?: Policy["routes"];
}

function built({
  mitigate = [],
  rules = [],
  default: byDefault = "drop",
  stateful = false,
  offload = "auto",
  routes,
}: Parts): Policy {
  return {
    ...policy(mitigate, [list("partners", "192.0.2.0/24", "2001:db8:7::/48")]),
    firewall: { default: byDefault, rules, stateful, offload },
    routes: routes ?? [route("203.0.113.0/24", "chicago"), route("2001:db8::/32", "chicago")],
  };
}

/** `verdict stage rule tunnel` of a packet. */
function outcome(parts: Parts, text: string): string {
  const { verdict, stage, rule: name, routes } = evaluate(built(parts), bytesOf(text), newState(), 0n);
  return [verdict, stage, name ?? "-", routes.map(({ tunnel }) => tunnel).join("|") || "-"].join(" ");
}

const TCP21 = "tcp 192.0.2.7:40000 > 203.0.113.100:21 flags=S";
const UDP9 = "udp 192.0.2.7:53 > 203.0.113.9:9";
const ftp = number("tcp.dstport", [20, 21]);
const all = constant(true);
const log: Action = { kind: "log", sample: 100 };

describe("stages", () => {
  test.each<[string, Parts, string, string]>([
    ["a packet to nobody's prefix", {}, "udp 192.0.2.7:53 > 198.51.100.1:9", "foreign root - -"],
    ["a malformed packet", {}, "hex=4500", "malformed root - -"],
    ["mitigate drops", { mitigate: [rule("bogons", "drop", all)] }, UDP9, "drop mitigate bogons -"],
    [
      "mitigate's allow goes on to the firewall, past later rules",
      { mitigate: [rule("yes", "allow", all), rule("no", "drop", all)] },
      UDP9,
      "drop firewall - -",
    ],
    ["the firewall allows", { rules: [rule("ftp", "allow", ftp)] }, TCP21, "allow firewall ftp chicago"],
    [
      "the first match decides",
      { rules: [rule("a", "drop", ftp), rule("b", "allow", ftp)] },
      TCP21,
      "drop firewall a -",
    ],
    ["the firewall's default drops", { rules: [rule("ftp", "allow", ftp)] }, UDP9, "drop firewall - -"],
    ["the firewall's default allows", { default: "allow" }, UDP9, "allow firewall - chicago"],
    ["without a route", { default: "allow", routes: [] }, UDP9, "drop route - -"],
    ["the firewall rejects", { rules: [rule("ftp", "reject", ftp)] }, TCP21, "reject firewall ftp -"],
    ["the firewall's default rejects", { default: "reject" }, UDP9, "reject firewall - -"],
    [
      "count and log decide nothing",
      { rules: [rule("c", { kind: "count" }, all), rule("l", log, all), rule("ftp", "allow", ftp)] },
      TCP21,
      "allow firewall ftp chicago",
    ],
  ])("%s", (_, parts, text, expected) => {
    expect(outcome(parts, text)).toBe(expected);
  });

  test("count and log count besides the rule that decides, once each", () => {
    const trace = evaluate(
      built({
        mitigate: [rule("seen", { kind: "count" }, all), rule("other", { kind: "count" }, not(all))],
        rules: [rule("noted", log, all), rule("ftp", "allow", ftp), rule("late", { kind: "count" }, all)],
      }),
      bytesOf(TCP21),
      newState(),
      0n,
    );
    expect(countersOf(trace, "mitigate")).toEqual(["seen", null]);
    expect(countersOf(trace, "firewall")).toEqual(["noted", "ftp"]);
  });

  test("counters follow one decision for each stage reached", () => {
    const trace = evaluate(built({ rules: [rule("ftp", "allow", ftp)] }), bytesOf(TCP21), newState(), 0n);
    expect(trace.decisions).toEqual([
      { stage: "mitigate", rule: null, verdict: "allow" },
      { stage: "firewall", rule: "ftp", verdict: "allow" },
    ]);
  });

  test("a whole frame is judged behind its Ethernet header, and left alone without IP", () => {
    const frame = (type: readonly number[]) =>
      Uint8Array.from([...new Array<number>(12).fill(2), ...type, ...bytesOf(TCP21)]);
    const any = built({ rules: [rule("ftp", "allow", ftp)] });
    expect(evaluateFrame(any, frame([0x08, 0x00]), newState(), 0n).verdict).toBe("allow");
    expect(evaluateFrame(any, frame([0x86, 0xdd]), newState(), 0n).verdict).toBe("malformed");
    expect(evaluateFrame(any, frame([0x08, 0x06]), newState(), 0n).verdict).toBe("foreign");
  });
});

describe("routes: longest prefix, then lowest priority, all that are equal then", () => {
  const routes = [
    route("203.0.113.0/24", "wide"),
    route("203.0.113.64/26", "backup", 200),
    route("203.0.113.64/26", "narrow", 50),
    route("203.0.113.128/25", "one", 50),
    route("203.0.113.128/25", "other", 50),
    route("203.0.113.128/25", "spare", 51),
  ];
  test.each([
    ["203.0.113.1", "wide"],
    ["203.0.113.65", "narrow"],
    ["203.0.113.129", "one|other"],
  ])("%s goes to %s", (destination, tunnel) => {
    const text = `udp 192.0.2.7:1 > ${destination}:2`;
    expect(outcome({ default: "allow", routes }, text)).toBe(`allow firewall - ${tunnel}`);
  });
});

describe("absent fields", () => {
  test.each([
    ["tcp.dstport != 80 needs TCP", number("tcp.dstport", [0, 79], [81, 65535]), UDP9, false],
    ["not tcp.dstport == 80 does not", not(number("tcp.dstport", 80)), UDP9, true],
    ["a SYN-ACK has the SYN bit", bits("tcp.flags", 2), "tcp 192.0.2.7:1 > 203.0.113.9:2 flags=SA", true],
    ["one bit of the mask is enough", bits("tcp.flags", 6), "tcp 192.0.2.7:1 > 203.0.113.9:2 flags=SA", true],
    ["none is not", bits("tcp.flags", 5), "tcp 192.0.2.7:1 > 203.0.113.9:2 flags=SA", false],
    ["and is not only a SYN", number("tcp.flags", 2), "tcp 192.0.2.7:1 > 203.0.113.9:2 flags=SA", false],
    ["no ports in later fragments", number("udp.dstport", 9), `${UDP9} frag=8`, false],
    ["an address of the other family", address("ip.src", "::/0"), UDP9, false],
    ["a list's own family", inList("ip.src", "partners", 4), UDP9, true],
    ["a list's other family", inList("ip.src", "partners", 6), UDP9, false],
    ["xor is odd", xor(all, all, all), UDP9, true],
    ["xor is not even", xor(all, all), UDP9, false],
  ])("%s", (_, match, text, holds) => {
    expect(outcome({ rules: [rule("r", "allow", match)] }, text)).toBe(
      holds ? "allow firewall r chicago" : "drop firewall - -",
    );
  });
});

describe("limits are a GCRA", () => {
  /** Interval 100 ms, burst 2: tolerance 100 ms. */
  const tenASecond = (per: "ip.src" | "ip.dst" | null): Action => limit(10, 2, per);

  function verdicts(
    per: "ip.src" | "ip.dst" | null,
    arrivals: readonly (readonly [ms: number, text: string])[],
  ): string {
    const state = newState();
    const any = built({ mitigate: [rule("slow", tenASecond(per), all)], default: "allow" });
    return arrivals
      .map(([ms, text]) => evaluate(any, bytesOf(text), state, BigInt(ms) * 1_000_000n))
      .map(({ verdict, rule: name }) => (verdict === "allow" ? "." : name === "slow" ? "X" : "?"))
      .join("");
  }

  const A = "udp 192.0.2.7:1 > 203.0.113.9:2";
  const B = "udp 192.0.2.8:1 > 203.0.113.9:2";
  const B2 = "udp 192.0.2.8:1 > 203.0.113.10:2";

  test.each([
    [
      "the burst passes, then one packet an interval",
      null,
      [
        [1000, A],
        [1000, A],
        [1000, A],
        [1099, A],
        [1100, A],
        [1100, A],
      ],
      "..XX.X",
    ],
    [
      "time alone fills it up again, not beyond the burst",
      null,
      [
        [1000, A],
        [9000, A],
        [9000, A],
        [9000, A],
      ],
      "...X",
    ],
    [
      "what is over costs nothing",
      null,
      [
        [1000, A],
        [1000, A],
        [1050, A],
        [1050, A],
        [1100, A],
      ],
      "..XX.",
    ],
    [
      "without `per` all share",
      null,
      [
        [1000, A],
        [1000, B],
        [1000, A],
      ],
      "..X",
    ],
    [
      "each source has its own",
      "ip.src",
      [
        [1000, A],
        [1000, A],
        [1000, A],
        [1000, B],
      ],
      "..X.",
    ],
    [
      "each destination has its own",
      "ip.dst",
      [
        [1000, A],
        [1000, B],
        [1000, A],
        [1000, B2],
      ],
      "..X.",
    ],
  ] as const)("%s", (_, per, arrivals, expected) => {
    expect(verdicts(per, arrivals)).toBe(expected);
  });

  test("a source address of each family is a key of its own", () => {
    const six = "udp [::c000:207]:1 > [2001:db8::9]:2";
    expect(
      verdicts("ip.src", [
        [1000, A],
        [1000, A],
        [1000, six],
        [1000, six],
        [1000, six],
      ]),
    ).toBe("....X");
  });

  test("each limit has allowances of its own", () => {
    const state = newState();
    const [first, second] = [tenASecond("ip.src"), tenASecond("ip.src")];
    const both = built({ mitigate: [rule("a", first, all), rule("b", second, all)], default: "allow" });
    const traces = [1, 2, 3].map(() => evaluate(both, bytesOf(A), state, 1_000_000_000n));
    expect(traces.map(({ rule: name }) => name)).toEqual([null, null, "a"]);
  });
});

describe("a stateful firewall", () => {
  const web = number("tcp.dstport", 80);
  const parts: Parts = {
    mitigate: [rule("seen", { kind: "count" }, all)],
    rules: [rule("known", "allow", number("ct.state", CT_STATES.established)), rule("web", "allow", web)],
    stateful: true,
  };

  function judged(text: string) {
    const parsed = parsePacket(text);
    if (parsed.kind !== "packet") throw new Error(text);
    return evaluate(built(parts), parsed.bytes, newState(), 0n, parsed.surroundings);
  }

  test.each([
    ["tcp 192.0.2.7:1 > 203.0.113.9:80", "web"],
    ["tcp 192.0.2.7:1 > 203.0.113.9:81", null],
    ["tcp 192.0.2.7:1 > 203.0.113.9:81 ct=established", "known"],
  ])("%s is decided by %s", (text, name) => {
    expect(judged(text).rule).toBe(name);
  });

  test.each([
    "tcp 192.0.2.7:1 > 203.0.113.9:80 frag=0+",
    "tcp 192.0.2.7:1 > 203.0.113.9:80 frag=8",
    "tcp [2001:db8:9::7]:1 > [2001:db8::9]:80 frag=0+",
    "proto=6 2001:db8:9::7 > 2001:db8::9 frag=1480",
    // Whole as a datagram, but without the whole of its transport header.
    "tcp [2001:db8:9::7]:1 > [2001:db8::9]:80 frag=0 len=67",
    "proto=47 2001:db8:9::7 > 2001:db8::9 frag=0",
  ])("%s is held: no rule sees it, no counter of the stage counts it", (text) => {
    const trace = judged(text);
    expect(trace).toMatchObject({ verdict: "drop", stage: "firewall", rule: null, routes: [], held: true });
    expect(countersOf(trace, "mitigate")).toEqual(["seen", null]);
    expect(countersOf(trace, "firewall")).toEqual([]);
  });

  test("a fragment that is the whole datagram loses its fragment header, which rules then do not see", () => {
    const atomic = "tcp [2001:db8:9::7]:1 > [2001:db8::9]:80 frag=0";
    expect(judged(atomic)).toMatchObject({ verdict: "allow", rule: "web", held: false });
    const header = rule("header", "drop", number("fragment6.offset", 0));
    expect(outcome({ rules: [header], default: "allow" }, atomic)).toBe("drop firewall header -");
    expect(outcome({ rules: [header], default: "allow", stateful: true }, atomic)).toBe(
      "allow firewall - chicago",
    );
    const length = rule("length", "drop", number("ip6.payload_len", 20));
    expect(outcome({ rules: [length], default: "allow", stateful: true }, atomic)).toBe(
      "drop firewall length -",
    );
  });

  test("a stateless one sees fragments as they are", () => {
    expect(outcome({ rules: [rule("web", "allow", web)] }, "tcp 192.0.2.7:1 > 203.0.113.9:80 frag=0+")).toBe(
      "allow firewall web chicago",
    );
  });
});

describe("the way back", () => {
  test.each([
    ["udp 203.0.113.9:53 > 192.0.2.7:9", "passed"],
    ["udp 192.0.2.7:53 > 203.0.113.9:9", "spoofed"],
    ["hex=45", "malformed"],
  ])("%s: %s", (text, expected) => {
    expect(evaluateReturn(built({}), bytesOf(text))).toBe(expected);
  });

  test.each(PROBE_ANSWERS)("%s", (_, packet, expected) => {
    expect(evaluateReturn(askingBoth(built({})), packet)).toBe(expected);
  });

  const OPENING = Buffer.from("tidegate").toString("hex").padEnd(112, "0");

  test.each([
    ["a private address that is asked", asking("chicago", "10.0.0.1"), "passed"],
    ["an address of the Internet that is asked", asking("chicago", "192.0.2.9"), "spoofed"],
    ["an address that nobody asks", asking("chicago", "10.0.0.1", "reply"), "spoofed"],
  ])("an answer from %s", (_, tunnel, expected) => {
    const target = tunnel.health ? formatAddress(tunnel.health.target) : "";
    const answer = `icmp ${target} > 192.0.2.7 type=0 code=0 payload=${OPENING}`;
    expect(evaluateReturn({ ...built({}), tunnels: [tunnel] }, bytesOf(answer))).toBe(expected);
  });
});

describe("a trace says what was false", () => {
  test.each([
    ["the first false operand of `and`", and(address("ip.dst", "203.0.113.0/24"), ftp, all), ftp, true],
    ["a field that is there", number("udp.dstport", 53), number("udp.dstport", 53), false],
    ["all of an `or`", or(ftp, number("udp.dstport", 53)), or(ftp, number("udp.dstport", 53)), false],
    ["all of a `not`", not(all), not(all), false],
  ])("%s", (_, match, part, absent) => {
    const { steps } = evaluate(built({ rules: [rule("r", "allow", match)] }), bytesOf(UDP9), newState(), 0n);
    const miss = steps[0]?.miss;
    expect(steps[0]?.outcome).toBe("miss");
    expect(miss && printExpr(miss.part)).toBe(printExpr(part));
    expect(miss?.absent).toBe(absent);
  });
});

import fc from "fast-check";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { Header } from "../../src/compiler/ir/headers.js";
import type { Action, AddressList, Policy, Rule, Verdict } from "../../src/compiler/ir/policy.js";
import { slice, WIRE_FIELDS, type WireField, type WireName } from "../../src/compiler/ir/wire.js";
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
  xor,
} from "./ir.js";

/** Policies with firewall rules only: what the nft target compiles. */
export function firewall(
  rules: readonly Rule[],
  lists: readonly AddressList[] = [],
  otherwise: Verdict = "drop",
): Policy {
  return { ...policy([], lists), firewall: { default: otherwise, rules, stateful: false, offload: "off" } };
}

/** Few values for each field, so that random tests meet, overlap and contradict one another. */
const PORTS: readonly WireName[] = ["tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "udp.len"];
const BYTES: readonly WireName[] = ["icmp.type", "icmp.code", "icmp6.type", "icmp6.code", "tcp.flags"];
const SOURCES = ["10.0.0.0/8", "10.1.2.3", "192.0.2.0-192.0.2.77", "0.0.0.0/0", "128.0.0.0-255.255.255.255"];
const SOURCES_6 = ["2001:db8:1::/48", "::1", "2001:db8::1-2001:db8::9", "::/0", "8000::-ffff::5"];
const LIST = list("partners", "10.0.0.0/9", "192.0.2.7", "2001:db8:1::/49", "255.255.255.255");

/** Every place that a packet in the namespace can be read at by itself. */
const PLACES = Object.values(WIRE_FIELDS).filter(({ header }) => header !== "vlan" && header !== "ct");

const anySlice = fc
  .record({
    header: fc.constantFrom<Header>(
      "ip4",
      "ip6",
      "tcp",
      "udp",
      "icmp",
      "icmp6",
      "tcpPayload",
      "gre",
      "ip4Option",
    ),
    offset: fc.oneof(fc.nat(80), fc.nat(320), fc.constantFrom(2033, 2040)),
    width: fc.oneof(fc.integer({ min: 1, max: 32 }), fc.constantFrom(8, 16, 32)),
  })
  // nft reaches byte 255 of the IP or the transport header, which may stand 60 bytes before.
  .map(({ header, offset, width }) =>
    slice(header, header === "tcpPayload" || header === "ip4Option" ? offset % 1560 : offset, width),
  );

/** Few values again: the edges, and those in the middle where a carry or a sign could go wrong. */
function placeTest(field: WireField): fc.Arbitrary<Expr> {
  const last = 2 ** field.width - 1;
  const middle = Math.floor(last / 2);
  const values = [...new Set([0, 1, 4, middle - 1, middle, middle + 1, last - 1, last])].filter(
    (value) => value >= 0 && value <= last,
  );
  const ranges: readonly (readonly [number, number])[] = [
    [0, last],
    [Math.min(1, last), last],
    [0, middle],
    [middle, last],
  ];
  return fc.oneof(
    fc.subarray(values).map((some) => number(field, ...some)),
    fc.constantFrom(...ranges).map((range) => number(field, range)),
    fc.constantFrom(...values.filter((value) => value > 0)).map((mask) => bits(field, mask)),
  );
}

/** Lengths that packets have. */
const anyLength = fc
  .tuple(
    fc.constantFrom<WireName>("ip4.len", "ip6.payload_len"),
    fc.constantFrom<readonly [number, number]>([0, 39], [20, 40], [41, 60], [61, 65535], [128, 255]),
  )
  .map(([field, range]) => number(field, range));

const anyPlaceTest = fc
  .oneof({ weight: 2, arbitrary: fc.constantFrom(...PLACES) }, { weight: 1, arbitrary: anySlice })
  .chain(placeTest);

export const anyTest: fc.Arbitrary<Expr> = fc.oneof(
  { weight: 6, arbitrary: anyPlaceTest },
  anyLength,
  fc
    .tuple(fc.constantFrom(...PORTS, "tcp.window" as const), fc.subarray([0, 1, 80, 443, 65534, 65535]))
    .map(([field, values]) => number(field, ...values)),
  fc
    .tuple(
      fc.constantFrom(...PORTS),
      fc.constantFrom<readonly [number, number]>([0, 65535], [1, 443], [80, 65535]),
    )
    .map(([field, range]) => number(field, range)),
  fc
    .tuple(fc.constantFrom(...BYTES), fc.subarray([0, 2, 8, 16, 18, 128, 255]))
    .map(([field, values]) => number(field, ...values)),
  fc
    .tuple(fc.constantFrom(...BYTES), fc.constantFrom<readonly [number, number]>([0, 255], [1, 17], [3, 255]))
    .map(([field, range]) => number(field, range)),
  fc.subarray([0, 1, 6, 17, 41, 47, 50, 58, 255]).map((values) => number("ip.proto", ...values)),
  fc.constantFrom<readonly [number, number]>([0, 255], [2, 17]).map((range) => number("ip.proto", range)),
  fc
    .tuple(fc.constantFrom<WireName>(...BYTES, "ip.proto", "tcp.dstport"), fc.constantFrom(1, 2, 16, 18, 129))
    .map(([field, mask]) => bits(field, mask)),
  fc.subarray(SOURCES).map((texts) => address("ip.src", ...texts)),
  fc.subarray(SOURCES_6, { minLength: 1 }).map((texts) => address("ip.src", ...texts)),
  fc
    .subarray(["203.0.113.0/25", "203.0.113.200", "203.0.113.100"])
    .map((texts) => address("ip.dst", ...texts)),
  fc.constantFrom(4 as const, 6 as const).map((family) => inList("ip.src", LIST.name, family)),
);

export const anyExpr: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: anyTest },
    fc.array(tie("expr"), { maxLength: 3 }).map((operands) => and(...operands)),
    fc.array(tie("expr"), { maxLength: 3 }).map((operands) => or(...operands)),
    fc.array(tie("expr"), { maxLength: 2 }).map((operands) => xor(...operands)),
    tie("expr").map(not),
    fc.boolean().map(constant),
  ),
})).expr;

/** A limit that does not fill up again while a test runs. */
const anyAction = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom<Verdict>("allow", "drop", "reject") },
  fc.constantFrom<Action>({ kind: "count" }, { kind: "log", sample: 1 }, { kind: "log", sample: 3 }),
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom("ip.src" as const, "ip.dst" as const, null))
    .map(([burst, per]) => hourly(burst, per)),
);

/** One packet an hour, and `burst` at once. */
export function hourly(burst: number, per: "ip.src" | "ip.dst" | null): Rule["action"] {
  const action = limit(1, burst, per);
  if (action.kind !== "limit") return action;
  return {
    kind: "limit",
    limit: { ...action.limit, interval: 3600n * 1_000_000_000n, rate: { count: 1, unit: "h" } },
  };
}

export const anyFirewall: fc.Arbitrary<Policy> = fc
  .tuple(
    fc.array(fc.tuple(anyAction, anyExpr), { minLength: 1, maxLength: 5 }),
    fc.constantFrom<Verdict>("allow", "drop", "reject"),
  )
  .map(([rules, otherwise]) =>
    firewall(
      rules.map(([action, match], index) => rule(`r${index}`, action, match, index + 1)),
      [LIST],
      otherwise,
    ),
  );

const NETWORKS = [
  "10.0.0.0/8",
  "10.1.0.0/16",
  "10.1.2.0/24",
  "10.1.2.3",
  "192.0.2.0/25",
  "192.0.2.7",
  "192.0.2.4-192.0.2.77",
  "0.0.0.0/5",
  "::/16",
  "2001:db8::/32",
  "2001:db8:1::/48",
  "2001:db8:1::7",
  "2001:db8:1:0:8000::/65",
  "2001:db8::1-2001:db8:1::9",
];
const OWN_NETWORKS = [
  "203.0.113.0/25",
  "203.0.113.128/26",
  "203.0.113.9",
  "203.0.113.100",
  "203.0.113.96-203.0.113.104",
  "2001:db8::/40",
  "2001:db8::9",
];

/** What tables are looked up by: small sets of few values, so that rules overlap in every way. */
const anyFlowTest = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NETWORKS).map((text) => address("ip.src", text)) },
  { weight: 3, arbitrary: fc.constantFrom(...OWN_NETWORKS).map((text) => address("ip.dst", text)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...PORTS.slice(0, 4)), fc.subarray([0, 1, 80, 443, 65535], { minLength: 1 }))
      .map(([field, values]) => number(field, ...values)),
  },
  fc.constantFrom(80, 443, 0).map((port) => or(number("tcp.dstport", port), number("udp.dstport", port))),
  fc
    .tuple(
      fc.constantFrom<WireName>("icmp.type", "icmp6.type", "ip.proto"),
      fc.constantFrom(0, 1, 6, 8, 17, 58, 128),
    )
    .map(([field, value]) => number(field, value)),
  fc.constantFrom(4 as const, 6 as const).map((family) => inList("ip.src", LIST.name, family)),
);

const anyFlow = fc.oneof(
  { weight: 8, arbitrary: fc.array(anyFlowTest, { minLength: 1, maxLength: 3 }).map((all) => and(...all)) },
  { weight: 1, arbitrary: anyFlowTest.map(not) },
  {
    weight: 1,
    arbitrary: fc.tuple(anyFlowTest, anyFlowTest, anyFlowTest).map(([a, b, c]) => and(or(a, b), not(c))),
  },
  { weight: 1, arbitrary: anyExpr },
);

/** Rules of which each matches some of the packets that others match; in some, many that packets go on from. */
export const anyLargeFirewall: fc.Arbitrary<Policy> = fc
  .tuple(fc.constantFrom(0, 0, 1, 8), fc.constantFrom<Verdict>("allow", "drop", "reject"))
  .chain(([weight, otherwise]) => {
    const verdict = fc.constantFrom<Verdict>("allow", "drop", "reject");
    const action =
      weight === 0 ? verdict : fc.oneof({ weight: 16, arbitrary: verdict }, { weight, arbitrary: anyAction });
    return fc.array(fc.tuple(action, anyFlow), { minLength: 8, maxLength: 40 }).map((rules) =>
      firewall(
        rules.map(([action, match], index) => rule(`r${index}`, action, match, index + 1)),
        [LIST],
        otherwise,
      ),
    );
  });

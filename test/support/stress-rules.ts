import { Chance } from "../../src/compiler/analysis/chance.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { Rule } from "../../src/compiler/ir/policy.js";
import { slice } from "../../src/compiler/ir/wire.js";
import { address, and, bits, not, number, or, rule, xor } from "./ir.js";

/** Rules that ask for many different things together: what a table by all of them at once has no room for. */
export const STRESS = {
  /** Arbitrary ranges at both ports, between networks and anybody. */
  "port ranges": (chance) => and(...ends(chance), port(chance, "src"), port(chance, "dst")),
  /** The same, of whatever addresses. */
  "port ranges of anybody": (chance) => and(port(chance, "src"), port(chance, "dst")),
  /** Ranges of addresses that are no prefixes. */
  "address ranges": (chance) =>
    and(addressRange(chance, "ip.src"), addressRange(chance, "ip.dst"), ...some(chance, 3, [portTest])),
  /** A bit of everything, in both families. */
  "all fields": (chance) => {
    const [family, fields] = chance.oneIn(4) ? ([6, FIELDS6] as const) : ([4, FIELDS4] as const);
    return and(...ends(chance, family), ...some(chance, 2, [...fields, ...(chance.among(TRANSPORTS) ?? [])]));
  },
  /** Conditions within conditions. */
  contrived: (chance) => and(network4(chance, "ip.dst"), entangled(chance)),
} as const satisfies Readonly<Record<string, (chance: Chance) => Expr>>;

export type StressKind = keyof typeof STRESS;

/** Every other rule drops. */
export function stressRules(kind: StressKind, count: number, seed = 1): readonly Rule[] {
  const chance = new Chance(seed);
  return Array.from({ length: count }, (_, index) =>
    rule(`r${index}`, index % 2 === 0 ? "drop" : "allow", STRESS[kind](chance), index + 1),
  );
}

type Make = (chance: Chance) => Expr;

/** Each is there once in `times`, but one at least. */
function some(chance: Chance, times: number, makes: readonly Make[]): readonly Expr[] {
  const made = makes.filter(() => chance.oneIn(times)).map((make) => make(chance));
  return made.length > 0 ? made : [(chance.among(makes) ?? portTest)(chance)];
}

function span(chance: Chance, end: number): readonly [number, number] {
  const [a, b] = [chance.below(end), chance.below(end)];
  return [Math.min(a, b), Math.max(a, b)];
}

function port(chance: Chance, end: "src" | "dst"): Expr {
  const transport = chance.oneIn(3) ? "udp" : "tcp";
  return number(`${transport}.${end}port`, span(chance, 65_536));
}

const portTest: Make = (chance) => port(chance, chance.oneIn(2) ? "src" : "dst");

function ends(chance: Chance, family: 4 | 6 = chance.oneIn(4) ? 6 : 4): readonly Expr[] {
  const network = family === 6 ? network6 : network4;
  return (["ip.src", "ip.dst"] as const).flatMap((field) =>
    chance.oneIn(3) ? [] : [network(chance, field)],
  );
}

/** Somewhere in a few /8, so that networks meet. */
function network4(chance: Chance, field: "ip.src" | "ip.dst"): Expr {
  const size = 2 ** chance.below(16);
  const base = (field === "ip.src" ? 10 : 203) * 2 ** 24 + chance.below(2 ** 24);
  const low = base - (base % size);
  return address(field, `${dotted(low)}-${dotted(low + size - 1)}`);
}

function network6(chance: Chance, field: "ip.src" | "ip.dst"): Expr {
  const [subnet, host] = [chance.below(4096), chance.below(65_536)].map((group) => group.toString(16));
  return address(field, chance.oneIn(2) ? `2001:db8:1:${subnet}::/64` : `2001:db8:1:${subnet}::${host}`);
}

function addressRange(chance: Chance, field: "ip.src" | "ip.dst"): Expr {
  const [low, high] = span(chance, 2 ** 32);
  return address(field, `${dotted(low)}-${dotted(high)}`);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

const FIELDS4: readonly Make[] = [
  (chance) => number("ip4.len", span(chance, 1600)),
  (chance) => number("ip4.ttl", span(chance, 256)),
  (chance) => number("ip4.dscp", chance.below(64)),
];

const FIELDS6: readonly Make[] = [
  (chance) => number("ip6.hop_limit", span(chance, 256)),
  (chance) => number("ip6.flow", span(chance, 2 ** 20)),
];

/** What packets with one transport header have. */
const TRANSPORTS: readonly (readonly Make[])[] = [
  [
    (chance) => bits("tcp.flags", 1 + chance.below(63)),
    (chance) => number("tcp.window", span(chance, 65_536)),
    (chance) => number("tcp.srcport", span(chance, 65_536)),
    (chance) => number("tcp.dstport", span(chance, 65_536)),
  ],
  [
    (chance) => number("udp.len", span(chance, 1600)),
    (chance) => number(slice("udp", 64 + 8 * chance.below(8), 8), chance.below(256)),
    (chance) => number("udp.dstport", span(chance, 65_536)),
  ],
  [(chance) => number("icmp.type", chance.below(256)), (chance) => number("icmp.code", chance.below(16))],
  [(chance) => number("icmp6.type", chance.below(256))],
  [(chance) => number("ip.proto", chance.below(256))],
];

const FIELDS: readonly Make[] = [...FIELDS4, ...FIELDS6, ...TRANSPORTS.flat()];

const JOINS = [and, or, xor] as const;

function entangled(chance: Chance): Expr {
  const join = chance.among(JOINS) ?? or;
  const parts = Array.from({ length: 3 + chance.below(3) }, () => {
    const [make, other] = [chance.among(FIELDS) ?? portTest, chance.among(FIELDS) ?? portTest];
    const one = or(make(chance), other(chance));
    return chance.oneIn(3) ? not(one) : one;
  });
  return join(...parts);
}

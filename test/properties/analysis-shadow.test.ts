import fc from "fast-check";
import { expect, test } from "vitest";
import { type Box, boxesOf, boxHas } from "../../src/compiler/analysis/boxes.js";
import { packetIn } from "../../src/compiler/analysis/packets/packet-in.js";
import { possible } from "../../src/compiler/analysis/possible.js";
import { type Finding, findingsOf } from "../../src/compiler/analysis/shadow.js";
import { type Space, spaceOf } from "../../src/compiler/analysis/space.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import { type Action, isTerminal, type Rule, type Verdict } from "../../src/compiler/ir/policy.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { hourly } from "../support/firewall-policies.js";
import { and, not, number, or, policy, rule } from "../support/ir.js";

/** Each finding is held against a look at every kind of packet: few enough values that all of them can be looked at. */

const between = (least: number, most: number) =>
  fc
    .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

const anyTest: fc.Arbitrary<Expr> = fc.oneof(
  between(5, 8).map((range) => number("ip4.hdr_words", range)),
  between(0, 5).map((range) => number("ip4.ttl", range)),
  fc.subarray([0, 1, 2, 3], { minLength: 1 }).map((values) => number("ip4.ecn", ...values)),
  between(0, 5).map((range) => number("tcp.dstport", range)),
  fc.subarray([6, 17, 50], { minLength: 1 }).map((values) => number("ip.proto", ...values)),
);
const anyMatch = fc.oneof(
  fc.array(anyTest, { minLength: 0, maxLength: 3 }).map((tests) => and(...tests)),
  fc.tuple(anyTest, anyTest).map((tests) => or(...tests)),
  fc.tuple(anyTest, anyTest).map(([one, other]) => and(one, not(other))),
);
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom<Verdict>("allow", "drop").map((kind) => ({ kind })) },
  fc.constantFrom<Action>({ kind: "count" }, hourly(3, null)),
);
const anyRules = fc
  .array(fc.tuple(anyAction, anyMatch), { minLength: 1, maxLength: 7 })
  .map((all) => all.map(([action, match], index) => rule(`r${index}`, action, match)));

const PREFIXES = policy([]).prefixes.slice(0, 1);

/** One value of each class that no box tells apart, for each variable. */
function everyKind(space: Space, boxes: readonly Box[]): readonly Uint32Array[] {
  let points: readonly (readonly number[])[] = [[]];
  space.variables.forEach(({ bits }, variable) => {
    const starts = new Set([0]);
    for (const { restricts } of boxes) {
      restricts.get(variable)?.forEach((end, at) => {
        starts.add(at % 2 === 0 ? end : end + 1);
      });
    }
    const values = [...starts].filter((start) => start < 2 ** bits);
    points = points.flatMap((point) => values.map((value) => [...point, value]));
  });
  return points.map((point) => Uint32Array.from(point));
}

interface Seen {
  /** The rules that match, in order. */
  readonly matching: readonly number[];
}

const verdictOf = ({ action }: Rule) => (isTerminal({ action }) ? action.kind : null);

/** What the definitions in shadow.ts say of a rule, read aloud over everything there is. */
function expected(rules: readonly Rule[], byDefault: Verdict, seen: readonly Seen[]): readonly unknown[] {
  const firstOf = ({ matching }: Seen, from = 0) =>
    matching.find((index) => index >= from && isTerminal(rules[index] as Rule));
  const found = rules.flatMap((one, index): readonly unknown[] => {
    const own = seen.filter(({ matching }) => matching.includes(index));
    if (own.length === 0) return [{ kind: "neverMatches", rule: index }];
    const takers = own.map((each) => firstOf(each)).filter((taker) => taker !== undefined && taker < index);
    const by = [...new Set(takers)].sort();
    if (takers.length === own.length) return [{ kind: "shadowed", rule: index, by }];
    if (!isTerminal(one)) return [];
    const judged = own.filter((each) => firstOf(each) === index);
    const isSame = judged.every(({ matching }) => {
      const next = matching.find((other) => other > index);
      return (next === undefined ? byDefault : verdictOf(rules[next] as Rule)) === verdictOf(one);
    });
    const crossing = by.filter((taker) => {
      const other = rules[taker as number] as Rule;
      const more = seen.some(
        ({ matching }) => matching.includes(taker as number) && !matching.includes(index),
      );
      return more && verdictOf(other) !== verdictOf(one);
    });
    return [
      ...(isSame ? [{ kind: "redundant", rule: index }] : []),
      ...(crossing.length > 0 ? [{ kind: "partlyShadowed", rule: index, by: crossing }] : []),
    ];
  });
  const isDecided = seen.every((each) => firstOf(each) !== undefined);
  return isDecided ? [...found, { kind: "unreachableDefault" }] : found;
}

function plain(finding: Finding): unknown {
  if (!("by" in finding)) return "rule" in finding ? { kind: finding.kind, rule: finding.rule } : finding;
  const { rules, all } = finding.by();
  expect(all).toBe(true);
  return { kind: finding.kind, rule: finding.rule, by: rules };
}

/** A packet of the witness, and what the reference says of it. */
function confirm(finding: Finding, rules: readonly Rule[], space: Space): void {
  if (!("witness" in finding)) return;
  const found = packetIn(
    finding.witness(),
    space,
    PREFIXES.map(({ prefix }) => prefix),
  );
  if (!found) expect.fail(`no packet for ${JSON.stringify(plain(finding))}`);
  const matching = rules.filter(({ match }) => matches(match, found.packet, []));
  const first = matching.find(isTerminal);
  const own = rules[finding.rule];
  expect(matching).toContain(own);
  if (finding.kind === "redundant") expect(first).toBe(own);
  else expect(first).toBe(rules[finding.by().rules[0] ?? -1]);
}

test("what is found is what a look at every kind of packet finds", () => {
  const kinds = new Map<string, number>();
  fc.assert(
    fc.property(anyRules, fc.constantFrom<Verdict>("allow", "drop"), (rules, byDefault) => {
      const space = spaceOf([rules]);
      const world = possible(space, { prefixes: PREFIXES, whole: false });
      const boxes = rules.map(({ match }) => boxesOf(match, space, [], 1000) ?? []);
      const points = everyKind(space, [...world, ...boxes.flat()]);
      fc.pre(points.length < 8000);
      const seen = points
        .filter((point) => world.some((box) => boxHas(box, point)))
        .map((point) => ({
          matching: boxes.flatMap((some, index) => (some.some((box) => boxHas(box, point)) ? [index] : [])),
        }));
      const { findings, undecided } = findingsOf({ rules, byDefault, lists: [], space, world });
      expect(undecided).toEqual([]);
      expect(findings.map(plain)).toEqual(expected(rules, byDefault, seen));
      for (const finding of findings) {
        kinds.set(finding.kind, (kinds.get(finding.kind) ?? 0) + 1);
        confirm(finding, rules, space);
      }
    }),
    { numRuns: 200 },
  );
  expect([...kinds.keys()].sort()).toEqual([
    "neverMatches",
    "partlyShadowed",
    "redundant",
    "shadowed",
    "unreachableDefault",
  ]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Box } from "../../src/compiler/analysis/boxes.js";
import { boxHas } from "../../src/compiler/analysis/boxes.js";
import { DEFAULT_BUDGET, Diagram } from "../../src/compiler/analysis/diagram.js";
import { diagramOf, firstMatchOf } from "../../src/compiler/analysis/first-match.js";
import { valuesOf } from "../../src/compiler/analysis/packets/values.js";
import { type Ref, TOO_LARGE } from "../../src/compiler/analysis/ref.js";
import { type Space, spaceOf } from "../../src/compiler/analysis/space.js";
import { isTerminal } from "../../src/compiler/ir/policy.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { anyRules, LISTS, somePackets } from "../support/analysis-arbitrary.js";
import { number, rule } from "../support/ir.js";

/** Small enough to look at every packet: 16 × 16 × 16 values. */
const SIDE = 16;
const SPACE: Space = spaceOf([
  (["ip4.hdr_words", "tcp.flags", "ip.proto"] as const).map((field) => rule("r", "drop", number(field, 1))),
]);
const VARIABLES = ["ip4[4:4]", "transport[104:8]", "protocol"].map((key) => SPACE.indexOf(key) ?? -1);

function* points(): Generator<Uint32Array> {
  for (let n = 0; n < SIDE ** 3; n++) {
    const values = new Uint32Array(SPACE.variables.length);
    VARIABLES.forEach((variable, index) => {
      values[variable] = Math.floor(n / SIDE ** index) % SIDE;
    });
    yield values;
  }
}

const anySet = fc
  .tuple(fc.nat(SIDE - 1), fc.nat(SIDE - 1))
  .map(([a, b]) => Uint32Array.of(Math.min(a, b), Math.max(a, b)));

const anyBox: fc.Arbitrary<Box> = fc
  .tuple(fc.option(anySet), fc.option(anySet), fc.option(anySet))
  .map((sets) => ({
    restricts: new Map(
      sets.flatMap((set, index) => {
        const variable = VARIABLES[index] ?? -1;
        const isAll = set === null || (set[0] === 0 && set[1] === SIDE - 1 && index === 0);
        return isAll ? [] : [[variable, set] as const];
      }),
    ),
  }));
const anyUnion = fc.array(anyBox, { maxLength: 6 });

const inSome = (boxes: readonly Box[], values: Uint32Array) => boxes.some((box) => boxHas(box, values));

test("a union of boxes is the same node in whatever order they come", () => {
  fc.assert(
    fc.property(anyUnion, anyUnion, (some, others) => {
      const diagram = new Diagram(SPACE);
      const at = (values: Uint32Array, ref: Ref) => diagram.answer(ref, values) === 1;
      const [a, b] = [diagram.ofBoxes(some), diagram.ofBoxes(others)];
      const union = diagram.union(a, b);
      expect(diagram.ofBoxes([...others, ...some].reverse())).toBe(union);
      const [both, onlyA] = [diagram.intersection(a, b), diagram.difference(a, b)];
      expect(diagram.union(both, onlyA)).toBe(a);
      expect(diagram.intersection(diagram.complement(a), diagram.complement(b))).toBe(
        diagram.complement(union),
      );
      for (const values of points()) {
        const [inA, inB] = [inSome(some, values), inSome(others, values)];
        if (at(values, a) !== inA || at(values, union) !== (inA || inB)) expect.fail("union");
        if (at(values, both) !== (inA && inB) || at(values, onlyA) !== (inA && !inB)) expect.fail("part");
      }
    }),
    { numRuns: 80 },
  );
});

test("a function's boxes are disjoint, and hold what it answers", () => {
  fc.assert(
    fc.property(anyUnion, (some) => {
      const diagram = new Diagram(SPACE);
      const parts = [...diagram.boxes(diagram.ofBoxes(some), (answer) => answer === 1)];
      for (const values of points()) {
        const holding = parts.filter(({ box }) => boxHas(box, values));
        expect(holding.length).toBe(inSome(some, values) ? 1 : 0);
      }
    }),
    { numRuns: 15 },
  );
});

test("with any budget, an operation's result is right or too large", () => {
  let tooLarge = 0;
  fc.assert(
    fc.property(anyUnion, anyUnion, fc.nat(60), fc.nat(60), (some, others, edges, steps) => {
      const small = new Diagram(SPACE, { edges, steps });
      const large = new Diagram(SPACE, DEFAULT_BUDGET);
      const [ref, right] = [small, large].map((diagram) =>
        diagram.difference(diagram.ofBoxes(some), diagram.ofBoxes(others)),
      ) as [Ref, Ref];
      if (ref === TOO_LARGE) tooLarge++;
      else for (const values of points()) expect(small.answer(ref, values)).toBe(large.answer(right, values));
    }),
    { numRuns: 60 },
  );
  expect(tooLarge).toBeGreaterThan(0);
});

test("a stage's diagram answers with the rules that the reference reaches", () => {
  let judged = 0;
  fc.assert(
    fc.property(anyRules, somePackets, (rules, packets) => {
      const diagram = new Diagram(spaceOf([rules]), { edges: 300_000, steps: 300_000 });
      const { root, reached } = firstMatchOf(diagram, rules, LISTS);
      if (root === TOO_LARGE) return;
      for (const packet of packets) {
        const matching = rules.flatMap((rule, index) => (matches(rule.match, packet, LISTS) ? [index] : []));
        const end = matching.findIndex((index) => isTerminal(rules[index] as (typeof rules)[number]));
        const expected =
          end < 0 ? { rules: matching, ended: false } : { rules: matching.slice(0, end + 1), ended: true };
        expect(reached(diagram.answer(root, valuesOf(packet, diagram.space)))).toEqual(expected);
        judged++;
      }
    }),
    { numRuns: 250 },
  );
  expect(judged).toBeGreaterThan(800);
});

test("a condition's diagram is the same for the same condition in other words", () => {
  fc.assert(
    fc.property(anyRules, (rules) => {
      const diagram = new Diagram(spaceOf([rules]), { edges: 300_000, steps: 300_000 });
      for (const { match } of rules) {
        const ref = diagramOf(diagram, match, LISTS);
        const twice = diagramOf(diagram, { ...match, kind: "not", operand: match }, LISTS);
        if (ref !== TOO_LARGE && twice !== TOO_LARGE) expect(diagram.complement(twice)).toBe(ref);
      }
    }),
    { numRuns: 200 },
  );
});

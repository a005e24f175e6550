import fc from "fast-check";
import { expect, test } from "vitest";
import { boxesOf, boxHas } from "../../src/compiler/analysis/boxes.js";
import { valuesOf } from "../../src/compiler/analysis/packets/values.js";
import { spaceOf } from "../../src/compiler/analysis/space.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { anyRules, LISTS, somePackets } from "../support/analysis-arbitrary.js";

const MOST = 400;

test("a rule's boxes hold a packet's values exactly where the rule holds the packet", () => {
  let judged = 0;
  fc.assert(
    fc.property(anyRules, somePackets, (rules, packets) => {
      const space = spaceOf([rules]);
      const boxes = rules.map(({ match }) => boxesOf(match, space, LISTS, MOST));
      for (const packet of packets) {
        const values = valuesOf(packet, space);
        space.variables.forEach(({ bits, key }, index) => {
          expect(values[index], key).toBeLessThan(2 ** bits);
        });
        rules.forEach(({ match, name }, index) => {
          const known = boxes[index];
          if (!known) return;
          judged++;
          const held = known.some((box) => boxHas(box, values));
          expect({ name, held }).toEqual({ name, held: matches(match, packet, LISTS) });
        });
      }
    }),
    { numRuns: 500 },
  );
  expect(judged).toBeGreaterThan(5000);
});

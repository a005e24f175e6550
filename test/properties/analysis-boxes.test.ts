import fc from "fast-check";
import { expect, test } from "vitest";
import { boxesOf, boxHas } from "../../src/compiler/analysis/boxes.js";
import { valuesOf } from "../../src/compiler/analysis/packets/values.js";
import { spaceOf } from "../../src/compiler/analysis/space.js";
import { CT_STATES } from "../../src/compiler/ir/fields.js";
import type { Rule } from "../../src/compiler/ir/policy.js";
import { slice } from "../../src/compiler/ir/wire.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { stepOverEthernet } from "../../src/compiler/semantics/ethernet.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { anyExpr, anyFirewall } from "../support/firewall-policies.js";
import { frames } from "../support/frame-arbitrary.js";
import { and, bits, not, number, or, rule, xor } from "../support/ir.js";

const MOST = 400;

/** What a firewall in the namespace cannot see. */
const beside = fc.oneof(
  fc.subarray(Object.values(CT_STATES)).map((states) => number("ct.state", ...states)),
  fc.constantFrom(1, 6, 72).map((mask) => bits("ct.state", mask)),
  fc.nat(4095).map((id) => number("eth.vlan", id, [100, 300])),
  fc.nat(15).map((value) => number(slice("vlan", 0, 4), value)),
  fc.constantFrom(0x0f0, 0x801).map((mask) => bits("eth.vlan", mask)),
);
const anyMatch = fc
  .tuple(anyExpr, beside, fc.constantFrom(and, or, xor))
  .map(([expr, more, join]) => join(expr, not(more)));
const rules = fc.oneof(
  anyFirewall.map(({ firewall }) => firewall.rules),
  fc.array(anyMatch, { minLength: 1, maxLength: 3 }).map((all) => all.map((match, i) => named(match, i))),
);

function named(match: Rule["match"], index: number): Rule {
  return rule(`r${index}`, "drop", match);
}

const LISTS = fc.sample(anyFirewall, 1)[0]?.lists ?? [];
const frame = frames({
  4: { src: 0x0a010203n, dst: 0xcb007109n },
  6: { src: 0x20010db8_00010000_00000000_00000001n, dst: 0x20010db8_00000000_00000000_00000009n },
});
const anyState = fc.constantFrom(...Object.values(CT_STATES));

test("a rule's boxes hold a packet's values exactly where the rule holds the packet", () => {
  let judged = 0;
  fc.assert(
    fc.property(
      rules,
      fc.array(fc.tuple(frame, anyState), { minLength: 8, maxLength: 8 }),
      (all, packets) => {
        const space = spaceOf([all]);
        const boxes = all.map(({ match }) => boxesOf(match, space, LISTS, MOST));
        for (const [bytes, connection] of packets) {
          const carried = stepOverEthernet(bytes);
          const decoded =
            carried && decode(carried.bytes, carried.family, { vlan: carried.vlan, connection });
          if (decoded?.kind !== "packet") continue;
          const values = valuesOf(decoded.packet, space);
          space.variables.forEach(({ bits: width, key }, index) => {
            expect(values[index], key).toBeLessThan(2 ** width);
          });
          all.forEach(({ match, name }, index) => {
            const known = boxes[index];
            if (!known) return;
            judged++;
            const held = known.some((box) => boxHas(box, values));
            expect({ name, held }).toEqual({ name, held: matches(match, decoded.packet, LISTS) });
          });
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect(judged).toBeGreaterThan(10_000);
});

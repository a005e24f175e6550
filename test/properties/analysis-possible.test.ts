import fc from "fast-check";
import { expect, test } from "vitest";
import { type Box, boxesOf, boxHas, intersectBoxes } from "../../src/compiler/analysis/boxes.js";
import { packetIn } from "../../src/compiler/analysis/packets/packet-in.js";
import { valuesOf } from "../../src/compiler/analysis/packets/values.js";
import { possible, type World } from "../../src/compiler/analysis/possible.js";
import { type Space, spaceOf } from "../../src/compiler/analysis/space.js";
import type { Packet } from "../../src/compiler/semantics/decode.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { owns } from "../../src/compiler/semantics/route.js";
import { anyRules, LISTS, somePackets } from "../support/analysis-arbitrary.js";
import { policy } from "../support/ir.js";

const POLICY = policy([]);
const WORLD: World = { prefixes: POLICY.prefixes, whole: false };
const PREFIXES = POLICY.prefixes.map(({ prefix }) => prefix);

function text({ restricts }: Box, { variables }: Space): string {
  return [...restricts]
    .map(([index, ranges]) => `${variables[index]?.key} in ${ranges.join()}`)
    .join(" and ");
}

/** As connection tracking takes it. */
function isFragment({ family, bytes, fragmentHeader }: Packet): boolean {
  return family === 6 ? fragmentHeader !== null : (((bytes[6] ?? 0) & 0x3f) | (bytes[7] ?? 0)) !== 0;
}

test.each([false, true])("every packet's values are possible, whole: %s", (whole) => {
  let judged = 0;
  fc.assert(
    fc.property(anyRules, somePackets, (rules, packets) => {
      const space = spaceOf([rules]);
      const boxes = possible(space, { ...WORLD, whole });
      for (const packet of packets) {
        if (!owns(POLICY, packet.destination) || (whole && isFragment(packet))) continue;
        judged++;
        const values = valuesOf(packet, space);
        if (boxes.some((box) => boxHas(box, values))) continue;
        const said = space.variables.map(({ key }, index) => `${key}=${values[index]}`).join(" ");
        expect.fail(`${said}\n${boxes.map((box) => text(box, space)).join("\n")}`);
      }
    }),
    { numRuns: 200 },
  );
  expect(judged).toBeGreaterThan(400);
});

test("a packet is found for nearly everything that a rule and possibility allow together", () => {
  let [found, missed] = [0, 0];
  fc.assert(
    fc.property(anyRules, (rules) => {
      const space = spaceOf([rules]);
      const world = possible(space, WORLD);
      for (const { match } of rules) {
        const boxes = boxesOf(match, space, LISTS, 30) ?? [];
        const parts = boxes.flatMap((box) => world.flatMap((other) => intersectBoxes(box, other) ?? []));
        for (const part of parts.slice(0, 20)) {
          const packet = packetIn(part, space, PREFIXES);
          if (packet) {
            expect(matches(match, packet.packet, LISTS)).toBe(true);
            expect(owns(POLICY, packet.packet.destination)).toBe(true);
            found++;
          } else missed++;
        }
      }
    }),
    { numRuns: 120 },
  );
  expect(missed / found).toBeLessThan(0.05);
});

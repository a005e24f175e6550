import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  MARK,
  MARK_MASK,
  MARK_OTHERS,
  STAMPS,
  stampAddress,
  stampMark,
  stampOf,
  turnOf,
} from "../../runtime/node/constants.js";

/** By which generation a packet is judged: docs/runtime.md, "One store". */

const STAMP_H = readFileSync(join(import.meta.dirname, "../../bpf-templates/stamp.h"), "utf8");
const numberIn = (name: string) => Number(new RegExp(`#define ${name} (\\w+)`).exec(STAMP_H)?.[1]);

describe("a generation's stamp", () => {
  const generations = Array.from({ length: 3 * STAMPS }, (_, index) => index + 1);

  test("fits into four bits and is never 0, by which nobody judges", () => {
    const stamps = generations.map(stampOf);
    expect(Math.min(...stamps)).toBe(1);
    expect(Math.max(...stamps)).toBe(STAMPS);
    expect(STAMPS).toBeLessThanOrEqual(numberIn("TG_STAMP_MASK"));
  });

  test("comes again only after all the others", () => {
    for (const generation of generations)
      expect(new Set(generations.slice(generation, generation + STAMPS).map(stampOf)).size).toBe(
        Math.min(STAMPS, generations.length - generation),
      );
  });

  test("leads to the place that the generation before did not have, also where stamps begin anew", () => {
    for (const generation of generations) {
      expect(turnOf(generation)).not.toBe(turnOf(generation + 1));
      // `p->turn = read & 1` in bpf-templates/root.bpf.c.
      expect(turnOf(generation)).toBe(stampOf(generation) & 1);
    }
  });
});

test("a stamp is written as XDP writes it: in the address, and in a part of the mark that is nobody else's", () => {
  expect([stampAddress(1), stampAddress(14)]).toEqual(["02:54:47:01:00:01", "02:54:47:01:00:0e"]);
  expect([MARK, MARK_MASK]).toEqual([numberIn("TG_MARK"), numberIn("TG_MARK_MASK")]);
  for (let stamp = 1; stamp <= STAMPS; stamp++) {
    expect(stampMark(stamp)).toBe(MARK | (stamp << numberIn("TG_MARK_STAMP")));
    expect(stampMark(stamp) & MARK_OTHERS).toBe(0);
    expect((stampMark(stamp) & MARK_MASK) >>> 0).toBe(MARK);
  }
});

import { expect, test } from "vitest";
import { boxesOf } from "../../src/compiler/analysis/boxes.js";
import { allOf } from "../../src/compiler/analysis/diff/extents.js";
import { spaceOf } from "../../src/compiler/analysis/space.js";
import { address, rule } from "../support/ir.js";

/** So many addresses of which no two are alike in any part but the first. */
function boxes(count: number) {
  const texts = Array.from({ length: count }, (_, index) => {
    const part = (index + 1).toString(16);
    return `2001:db8:${part}::${part}:${part}`;
  });
  const match = address("ip.dst", ...texts);
  const space = spaceOf([[rule("all", "drop", match)]]);
  return { space, boxes: boxesOf(match, space, [], count) ?? [] };
}

test("the share of boxes is exact", () => {
  const one = boxes(1);
  const three = boxes(3);
  expect(allOf(three.space, three.boxes).share / allOf(one.space, one.boxes).share).toBeCloseTo(3, 12);
});

test("of more than a diagram holds it is still a number", () => {
  const many = boxes(100);
  const all = allOf(many.space, many.boxes, { edges: 100, steps: 100 });
  const one = boxes(1);
  expect(all.share / allOf(one.space, one.boxes).share).toBeCloseTo(100, 8);
  expect(all.fills({ share: 0, boxes: [], isAll: true, hull: { restricts: new Map() } })).toBe(false);
});

import { describe, expect, test } from "vitest";
import { packetsOfPage } from "../support/doc-packets.js";
import { judged } from "../support/pinned-packets.js";

const BLOCKS = packetsOfPage();

describe("docs/semantics.md", () => {
  test.each(BLOCKS)("$heading: the reference says what the page says", (block) => {
    expect(judged(block)).toEqual(block.packets.map(({ expected }) => expected));
  });

  test("has packets for each section that a packet can show", () => {
    expect(BLOCKS.map(({ heading }) => heading)).toEqual([
      "The packet",
      "Malformed packets",
      "Dispatch",
      "Fields",
      "Fields",
      "Absent fields",
      "Stages",
      "The early step",
      "The early step",
      "The fast path",
      "What the kernel drops by itself",
      "A stateful firewall",
      "Limits",
      "Routes",
    ]);
  });
});

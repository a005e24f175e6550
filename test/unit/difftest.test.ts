import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Stage } from "../../src/compiler/ir/policy.js";
import { CELLS, Coverage, isComparison } from "../difftest/coverage.js";
import { aimedFrom, supplyFor } from "../difftest/packets.js";
import { casesOf } from "../difftest/trial.js";
import { policyIn } from "../support/language-arbitrary.js";
import { comparisonsIn, type Place } from "../support/language-conditions.js";

/** The harness of `npm run difftest` itself, without a kernel. */

test("without root says so, before anything is built", () => {
  const script = readFileSync(join(import.meta.dirname, "../../scripts/difftest"));
  const nobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : ["env"];
  const { status, stderr } = spawnSync(nobody[0] ?? "", [...nobody.slice(1), "bash", "-s"], {
    input: script,
  });
  expect([status, `${stderr}`]).toEqual([2, "difftest loads programs into the kernel: run it as root\n"]);
});

describe("the same seed", () => {
  test("gives the same policies, another gives others", () => {
    const texts = (seed: number, block: number) => casesOf(seed, block).map(({ written }) => written.text);
    expect(texts(1, 3)).toEqual(texts(1, 3));
    expect(texts(1, 3)).not.toEqual(texts(1, 4));
    expect(texts(1, 3)).not.toEqual(texts(2, 3));
  });

  test("gives the same packets, in their order of time", () => {
    const [policy] = casesOf(1, 0).flatMap(({ written }) => policyIn(written) ?? []);
    if (!policy) throw new Error("some policy is accepted");
    const packets = () => aimedFrom(supplyFor(policy, 200, 1), policy, 100, 7);
    expect(packets()).toEqual(packets());
    const times = packets().map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  });
});

describe("the coverage table", () => {
  test("names what no policy had", () => {
    const coverage = new Coverage();
    expect(coverage.empty).toHaveLength(CELLS.length);
    coverage.add(CELLS.slice(1));
    const [first] = CELLS;
    expect(coverage.empty).toEqual([`xdp: ${first?.row} ${first?.column}`]);
  });

  test("counts policies, not packets", () => {
    const coverage = new Coverage();
    const cell = { stage: "mitigate", row: "ip.ttl", column: "<" } as const;
    coverage.add([cell, cell]);
    coverage.add([cell]);
    expect(coverage.table().find((line) => line.startsWith("ip.ttl"))).toContain(" 2/0");
  });

  test.each<[Stage, Place]>([
    ["mitigate", "mitigate"],
    ["firewall", "stateful"],
  ])("of %s has the comparisons that policies are made of, and no others", (stage, place) => {
    const written = fc
      .sample(comparisonsIn(place), { numRuns: 12_000, seed: 1 })
      .flatMap(({ comparisons }) => comparisons)
      .map(({ subject, operator }) => `${subject} ${operator}`);
    const allowed = CELLS.filter((cell) => cell.stage === stage && isComparison(cell));
    expect([...new Set(written)].sort()).toEqual(allowed.map(({ row, column }) => `${row} ${column}`).sort());
  });
});

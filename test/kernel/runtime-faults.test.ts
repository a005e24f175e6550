import { expect, test } from "vitest";
import { tryPoints } from "../faults/run.js";
import { SCENARIOS } from "../faults/scenarios.js";

/**
 * A sample of what `npm run faults` tries: a run is killed, a part of it fails, the disk is full, or the loader dies. Afterwards the
 * old policy or the new one is in force, whole, and until then no packet got through that both forbid.
 */

const SAMPLE = ["the node's first bundle", "a change of tunnels", "a router dies", "the last removal"];
const POINTS = 16;

test("a node recovers from whatever goes wrong in a run", { timeout: 240_000 }, async () => {
  const scenarios = SCENARIOS.filter(({ name }) => SAMPLE.includes(name));
  const { outcomes } = await tryPoints({ points: POINTS, seed: 1, labs: 2, scenarios }, () => {});
  const tried = outcomes.filter(({ result }) => result !== "not reached");
  expect(tried.filter(({ result }) => result !== "recovered")).toEqual([]);
  expect(tried).toHaveLength(POINTS);
  expect([...new Set(tried.map(({ point }) => point.scenario))].sort()).toEqual([...SAMPLE].sort());
});

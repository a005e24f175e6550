import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { allFound } from "./found.js";
import { inputs } from "./generate.js";
import { Tally } from "./tally.js";
import { tryInput } from "./trial.js";

// Colours are control characters, which no report may have from its input.
vi.hoisted(() => {
  process.env["NO_COLOR"] = "1";
});

const INPUTS = 2000;
/** Milliseconds; `npm run fuzz` asks for one second. */
const MOST = 5000;
const FIXED_SEED = 3;

test(`${INPUTS} inputs are read to an end: a meaning, or errors that say why there is none`, async () => {
  const tally = new Tally();
  const problems: unknown[] = [];
  for (const [index, input] of fc.sample(inputs, { numRuns: INPUTS, seed: FIXED_SEED }).entries()) {
    const depth = { fmt: index % 10 === 0, types: index % 500 === 0 };
    const trial = await tryInput(input, depth, MOST);
    tally.add(trial);
    if (trial.problem !== undefined) problems.push(trial);
  }
  expect(problems).toEqual([]);
  // Otherwise the generators try nothing any more.
  expect(tally.understood).toBeGreaterThan(INPUTS / 10);
  expect(tally.understood).toBeLessThan((INPUTS * 9) / 10);
  expect(tally.codes.size).toBeGreaterThan(60);
}, 240_000);

describe("what once went wrong", () => {
  test.each(allFound())("$name", async ({ input }) => {
    const { problem } = await tryInput(input, { fmt: true, types: true }, MOST);
    expect(problem).toBeUndefined();
  });

  test("is kept", () => expect(allFound().length).toBeGreaterThan(0));
});

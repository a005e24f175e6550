import fc from "fast-check";

/**
 * Properties try the same cases on every run, so that a change is judged by what it changed and not by luck.
 * `TIDEGATE_SEED=N` tries others, `TIDEGATE_SEED=random` new ones each time, as a nightly run should.
 */
const DEFAULT_SEED = 2026;

const wanted = process.env.TIDEGATE_SEED ?? `${DEFAULT_SEED}`;
if (wanted !== "random") {
  const seed = Number(wanted);
  if (!Number.isSafeInteger(seed))
    throw new Error(`TIDEGATE_SEED=${wanted} is neither a number nor "random"`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}

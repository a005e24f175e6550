import { attempt, Clock, type Depth, type Outcome } from "./attempt.js";
import type { FuzzInput } from "./input.js";

export interface Trial {
  readonly input: FuzzInput;
  readonly depth: Depth;
  readonly milliseconds: number;
  readonly outcome: Outcome | undefined;
  /** What went wrong, in one line that is the same for the same fault. */
  readonly problem: string | undefined;
}

/** Tries an input and measures its slowest command; slower than `most` milliseconds in each of three runs is a problem. */
export async function tryInput(input: FuzzInput, depth: Depth, most: number): Promise<Trial> {
  const first = await measured(input, depth);
  if (first.problem !== undefined || first.milliseconds <= most) return first;
  const again = [await measured(input, depth), await measured(input, depth)];
  const milliseconds = Math.min(first.milliseconds, ...again.map((one) => one.milliseconds));
  return { ...first, milliseconds, problem: milliseconds > most ? "too slow" : undefined };
}

async function measured(input: FuzzInput, depth: Depth): Promise<Trial> {
  const clock = new Clock();
  const result = await attempt(input, depth, clock).then(
    (outcome) => ({ outcome, problem: undefined }),
    (problem) => ({ outcome: undefined, problem: nameOf(problem) }),
  );
  return { input, depth, milliseconds: clock.slowest, ...result };
}

/** The error with the place in our code where it was thrown. */
function nameOf(problem: unknown): string {
  if (!(problem instanceof Error)) return String(problem);
  const place = /\n +at (?!JSON|Array|Object|String|new|async)(\S+)/.exec(problem.stack ?? "")?.[1] ?? "";
  const [line = ""] = problem.message.split("\n");
  return problem.name === "Finding" ? line : `${problem.name}: ${line.slice(0, 200)} (${place})`;
}

/** A smaller input with the same problem: pieces are left out for as long as it stays, first large ones, then single characters. */
export async function reduced(trial: Trial, most: number): Promise<FuzzInput> {
  const deadline = performance.now() + 60_000;
  const fails = async (input: FuzzInput) =>
    (await tryInput(input, trial.depth, most)).problem === trial.problem;
  let input = trial.input;
  for (const name of [null, ...Object.keys(input.modules)]) {
    input = await withoutPieces(input, name, fails, deadline);
  }
  return input;
}

async function withoutPieces(
  input: FuzzInput,
  name: string | null,
  fails: (input: FuzzInput) => Promise<boolean>,
  deadline: number,
): Promise<FuzzInput> {
  let text = name === null ? input.main : (input.modules[name] ?? "");
  const put = (by: string): FuzzInput =>
    name === null ? { ...input, main: by } : { ...input, modules: { ...input.modules, [name]: by } };
  for (let size = Math.ceil(text.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < text.length && performance.now() < deadline; ) {
      const less = text.slice(0, at) + text.slice(at + size);
      if (await fails(put(less))) text = less;
      else at += size;
    }
  }
  return put(text);
}

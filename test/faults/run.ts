import { FaultLab, same } from "./lab.js";
import { choose, type Point, pointsOf } from "./points.js";
import { type Loaded, SCENARIOS, type Scenario } from "./scenarios.js";
import { attempt, type Outcome } from "./trial.js";

/** So many pages, or files, are more than any run needs; a turn writes one small file. */
const ROOM = 16;
const ROOM_OF_TURN = 1;

/** Every way in which something can go wrong: each scenario is gone through once, and nothing does. */
export async function allPoints(
  lab: FaultLab,
  scenarios: readonly Scenario[] = SCENARIOS,
): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (const scenario of scenarios) {
    await lab.prepare(scenario.from, undefined);
    const { actions = [], error } = await lab.run(lab.callOf(scenario));
    if (error) throw new Error(`${scenario.name}: ${error.code} ${error.message}`);
    await lab.whole();
    points.push(...pointsOf(scenario.name, actions), ...disksOf(scenario));
  }
  return points;
}

/** A disk that is really full, but for so much. */
function disksOf({ name: scenario, operation }: Scenario): readonly Point[] {
  const length = operation === "turn" ? ROOM_OF_TURN : ROOM;
  return (["blocks", "inodes"] as const).flatMap((kind) =>
    Array.from({ length }, (_, nth) => ({
      ...{ scenario, kind, nth },
      ...{ name: `${nth} ${kind} left`, alike: `N ${kind} left` },
    })),
  );
}

export interface Tried {
  readonly all: number;
  readonly outcomes: readonly Outcome[];
}

/** Tries so many of all points, in so many labs at the same time. */
export async function tryPoints(
  options: {
    readonly points: number;
    readonly seed: number;
    readonly labs: number;
    readonly scenarios?: readonly Scenario[];
  },
  heard: (outcome: Outcome) => void,
): Promise<Tried> {
  const first = await FaultLab.start();
  const all = await allPoints(first, options.scenarios).catch(async (error: unknown) => {
    await first.end();
    throw error;
  });
  const queue = new Queue(all, options.points, options.seed);
  const outcomes: Outcome[] = [];
  const hear = (outcome: Outcome) => {
    outcomes.push(outcome);
    heard(outcome);
  };
  const labs = Array.from({ length: options.labs }, (_, index) =>
    index === 0 ? first : FaultLab.start(first.shapes),
  );
  await Promise.all(labs.map(async (lab) => work(await lab, queue, hear)));
  return { all: all.length, outcomes };
}

/** What is to be tried still. */
class Queue {
  readonly #left: Point[];
  readonly #instead: Point[];

  constructor(all: readonly Point[], count: number, seed: number) {
    const chosen = new Set(choose(all, count, seed));
    this.#left = [...chosen];
    this.#instead = all.filter((point) => !chosen.has(point));
  }

  /** The next one, if possible of a scenario that begins with what is in force. */
  take(now: Loaded | undefined, last: string | undefined): { point: Point; scenario: Scenario } | undefined {
    const at = this.#left.findIndex(({ scenario }) => scenario === last);
    const fitting = this.#left.findIndex((point) => now !== undefined && begins(scenarioOf(point), now));
    const index = Math.max(fitting >= 0 ? fitting : at, 0);
    const [point] = this.#left.splice(index, 1);
    return point && { point, scenario: scenarioOf(point) };
  }

  /** Another one, for one that was not reached: of the same scenario, where there is one. */
  replace({ scenario }: Point): void {
    const at = this.#instead.findIndex((point) => point.scenario === scenario);
    this.#left.push(...this.#instead.splice(Math.max(at, 0), 1));
  }
}

function scenarioOf({ scenario }: Point): Scenario {
  const found = SCENARIOS.find(({ name }) => name === scenario);
  if (!found) throw new Error(`there is no scenario ${scenario}`);
  return found;
}

function begins({ from }: Scenario, now: Loaded): boolean {
  return same(from, now) && !from.earlier;
}

/** Works until nothing is left. A lab in which something is wrong is given up for another. */
async function work(start: FaultLab, queue: Queue, hear: (outcome: Outcome) => void): Promise<void> {
  let lab = start;
  let now: Loaded | undefined;
  let count = 0;
  let last: string | undefined;
  try {
    for (let next = queue.take(now, last); next; next = queue.take(now, last)) {
      const { point, scenario } = next;
      await lab.prepare(scenario.from, now);
      const outcome = await attempt(lab, scenario, point, count++ % 2 === 1);
      hear(outcome);
      if (outcome.result === "not reached") queue.replace(point);
      now = outcome.now;
      last = scenario.name;
      if (now) continue;
      await lab.end();
      lab = await FaultLab.start(lab.shapes);
    }
  } finally {
    await lab.end();
  }
}

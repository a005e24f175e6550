import { parseArgs } from "node:util";
import { EXIT, UsageError } from "../../src/cli/exit.js";
import { FaultLab } from "./lab.js";
import { KINDS, type Point } from "./points.js";
import { allPoints, tryPoints } from "./run.js";
import { SCENARIOS, type Scenario } from "./scenarios.js";
import type { Outcome } from "./trial.js";

/**
 * `npm run faults -- --points N --seed S`: lets things go wrong in runs on an edge server of its own, one at a time. Exit 0: the node
 * recovered from each; 1: it did not; 2: it cannot run here. `--list` only lists the points;
 * `--only TEXT` takes only the runs that have TEXT in their names.
 */

interface Options {
  readonly points: number;
  readonly seed: number;
  readonly labs: number;
  readonly list: boolean;
  readonly scenarios: readonly Scenario[];
}

function optionsOf(): Options {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      options: {
        ...{ points: text, seed: text, labs: text, only: text },
        list: { type: "boolean", default: false },
      },
    });
    const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only ?? ""));
    if (scenarios.length === 0) throw new UsageError(`no run has "${values.only}" in its name`);
    const [points, seed, labs] = [values.points ?? 300, values.seed ?? 1, values.labs ?? 2].map(Number);
    const numbers = [points, seed, labs];
    if (!numbers.every(Number.isSafeInteger) || !(points && points > 0) || !(labs && labs > 0))
      throw new UsageError("points and labs are whole numbers above 0, a seed is a whole number");
    return { points, seed: seed ?? 1, labs, list: values.list, scenarios };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(EXIT.usage);
  }
}

function lineOf({ scenario, kind, name }: Point): string {
  return `${scenario}: ${kind} ${name}`;
}

function resultOf({ result, ended }: Outcome): string {
  if (typeof result !== "string") return `WRONG (${ended}): ${result.wrong}`;
  return result === "recovered" ? `recovered (${ended})` : result;
}

/** How many were tried, by scenario and kind. */
function table(scenarios: readonly Scenario[], outcomes: readonly Outcome[]): string {
  const count = (scenario: string, kind: string) =>
    outcomes.filter(({ point }) => point.scenario === scenario && point.kind === kind).length;
  const rows = scenarios.map(({ name }) => [name, ...KINDS.map((kind) => `${count(name, kind)}`)]);
  return [["scenario", ...KINDS], KINDS.concat().map(() => "---"), ...rows]
    .map((cells, index) => `| ${(index === 1 ? ["---", ...cells] : cells).join(" | ")} |`)
    .join("\n");
}

async function list(scenarios: readonly Scenario[]): Promise<void> {
  const lab = await FaultLab.start();
  const points = await allPoints(lab, scenarios).finally(() => lab.end());
  for (const point of points) console.log(lineOf(point));
  console.log(`${points.length} points`);
}

async function main(): Promise<number> {
  const options = optionsOf();
  if (options.list) {
    await list(options.scenarios);
    return EXIT.ok;
  }
  let heard = 0;
  const { all, outcomes } = await tryPoints(options, (outcome) => {
    console.log(`${++heard} ${lineOf(outcome.point)}: ${resultOf(outcome)}`);
  });
  const tried = outcomes.filter(({ result }) => result !== "not reached");
  const recovered = tried.filter(({ result }) => result === "recovered");
  console.log(
    `\n${table(options.scenarios, tried)}\n\n${all} points in all; ${tried.length} tried, ${recovered.length} recovered`,
  );
  return recovered.length === tried.length && tried.length > 0 ? EXIT.ok : EXIT.failed;
}

process.exitCode = await main();

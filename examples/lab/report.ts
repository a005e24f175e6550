import CliTable from "cli-table3";
import { Listr } from "listr2";
import pc from "picocolors";
import type { Journey, Row } from "./lab.js";

/** How the demo speaks: with colours and a moving progress line on a terminal, in plain lines elsewhere. */
export interface Report {
  heading(text: string): void;
  note(text: string): void;
  /** Runs a step of the set-up or clean-up and shows how it goes. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** Runs one journey and shows what was seen on the way. */
  journey(number: number, journey: Journey, work: () => Promise<readonly Row[]>): Promise<readonly Row[]>;
  summary(travelled: readonly Travelled[]): void;
  success(text: string): void;
  failure(text: string): void;
  /** A last word: nothing is shown after it, and no step begins. */
  stop(text: string): void;
}

export interface Travelled {
  readonly journey: Journey;
  readonly rows: readonly Row[];
}

/** A terminal that a person watches; CI logs, pipes and terminals without a width get no control characters. */
export function isWatched(): boolean {
  const { CI, TERM } = process.env;
  return process.stdout.isTTY === true && process.stdout.columns > 0 && !CI && TERM !== "dumb";
}

export function makeReport(watched: boolean): Report {
  const { NO_COLOR } = process.env;
  const color = pc.createColors(watched && NO_COLOR === undefined);
  const yes = watched ? color.green("✔") : "ok";
  const no = watched ? color.red("✖") : "FAILED";
  let stopped = false;
  const print = (text: string): void => {
    if (!stopped) process.stdout.write(`${text}\n`);
  };
  const run = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    if (stopped) throw new Error("stopped");
    return watched ? runWatched(title, work) : runPlain(title, work, print);
  };

  return {
    heading: (text) => print(`\n${color.bold(text)}`),
    note: (text) => print(`  ${color.dim(text)}`),
    step: (title, work) => run(title, work),
    async journey(number, { title, about }, work) {
      if (!watched) print("");
      const rows = await run(`${number}. ${title}`, work);
      print(`   ${color.dim(about)}`);
      for (const row of rows) printRow(row);
      if (watched) print("");
      return rows;
    },
    summary: (travelled) => print(table(travelled, watched, yes, no)),
    success: (text) => print(`${yes} ${text}`),
    failure: (text) => print(`${no} ${text}`),
    stop(text) {
      print(text);
      stopped = true;
    },
  };

  function printRow(row: Row): void {
    print(`   ${row.agrees ? yes : no} ${color.bold(row.packet)}`);
    const label = (name: string): string => color.dim(name.padEnd(10));
    print(`       ${label("reference")} ${row.reference}`);
    print(`       ${label("kernel")} ${row.kernel}`);
    print(`       ${label("counters")} ${row.counters}`);
  }
}

/** A spinner while it runs, a mark when it is done. */
async function runWatched<T>(title: string, work: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  const tasks = new Listr(
    [
      {
        title,
        task: async () => {
          result = { value: await work() };
        },
      },
    ],
    // Signals are the demo's own business: it has a lab to take down first.
    { registerSignalListeners: false, rendererOptions: { showErrorMessage: false } },
  );
  await tasks.run();
  if (!result) throw new Error(`${title}: no result`);
  return result.value;
}

async function runPlain<T>(title: string, work: () => Promise<T>, print: (text: string) => void): Promise<T> {
  const started = performance.now();
  const result = await work();
  print(`${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}

function table(travelled: readonly Travelled[], watched: boolean, yes: string, no: string): string {
  const rows = travelled.map(({ journey, rows }, index) => [
    String(index + 1),
    journey.title,
    [...new Set(rows.map(({ verdict }) => verdict))].join(", "),
    `${rows.filter(({ agrees }) => agrees).length} of ${rows.length}`,
    rows.every(({ agrees }) => agrees) ? yes : no,
  ]);
  // The library's own style has colours, which a pipe must not get.
  const grid = new CliTable({
    head: ["", "journey", "what the reference says", "as it says", ""],
    style: { head: [], border: [], compact: true },
    ...(watched ? {} : { chars: PLAIN_CHARS }),
  });
  grid.push(...rows);
  return grid.toString();
}

const PLAIN_CHARS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: " ",
};

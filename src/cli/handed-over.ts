import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import pc from "picocolors";
import type { HandedOver, Handler } from "../../runtime/daemon/commands.js";
import type { Engine } from "../../runtime/daemon/engine.js";
import type { Say } from "../../runtime/daemon/journal.js";
import type { Observer } from "../../runtime/daemon/observer.js";
import { type EdgeReading, isCurrent } from "./edge/reading.js";
import { describeApply } from "./node-options.js";
import { renderApplied, renderWarnings, unsignedNote } from "./render/applied.js";

export interface Around {
  readonly stateDir: string;
  readonly engine: Pick<Engine, "apply">;
  /** What the daemon has read of its edge.ts last. */
  readonly reading: () => EdgeReading | undefined;
  readonly say: Say;
  readonly observer: Pick<Observer, "applied">;
}

/**
 * `tidegate apply`, handed over to the daemon: done here if it is about the node as the daemon knows it, and if nothing is wrong. Else
 * the process that it came from does it, and tells its user why it cannot: what fails leaves everything as it was.
 */
export function handedOver(around: Around): Handler {
  return async (command) => {
    try {
      return await applyHere(command, around);
    } catch {
      return undefined;
    }
  };
}

async function applyHere(command: HandedOver, { stateDir, engine, reading, say, observer }: Around) {
  const asked = parsed(command.words);
  const edge = reading();
  if (!asked || !edge || command.build !== edge.build) return undefined;
  const at = (path: string) => resolve(command.cwd, path);
  const isOurs = realpathSync(at(asked.edge)) === realpathSync(edge.file);
  if (!isOurs || at(asked.stateDir) !== resolve(stateDir) || !isCurrent(edge, edge.file)) return undefined;
  const { json, rollback } = asked;
  const started = performance.now();
  const steps: string[] = [];
  const applied = await engine.apply(at(asked.bundle), edge.config, {
    ...{ memoryDir: at(asked.memoryDir), rollback },
    onStep: (text) => steps.push(`  ${text}\n`),
  });
  const ms = performance.now() - started;
  if (applied.changed) {
    observer.applied(applied.customer, ms);
    const { customer, generation, hash } = applied;
    const figures = `${hash.slice(0, 12)}, ${Math.round(ms)} ms`;
    say("info", `${customer}: in force as generation ${generation}, by \`tidegate apply\` (${figures})`);
  }
  const colors = pc.createColors(command.colors);
  const view = { json, colors, by: "tidegated" };
  const notes = [
    ...(command.steps ? steps : []),
    ...(edge.config.keys ? [] : [`${unsignedNote(colors)}\n`]),
    ...renderWarnings(applied, view).map((line) => `${line}\n`),
  ];
  return {
    stdout: `${renderApplied(applied, view)}\n`,
    stderr: json ? "" : notes.join(""),
  };
}

interface Asked {
  readonly bundle: string;
  readonly edge: string;
  readonly stateDir: string;
  readonly memoryDir: string;
  readonly rollback: boolean;
  readonly json: boolean;
}

/** As the command itself reads its words; undefined where it would have something to say about them. */
function parsed([name, ...words]: readonly string[]): Asked | undefined {
  if (name !== "apply") return undefined;
  let asked: Asked | undefined;
  const silent = { writeOut: () => {}, writeErr: () => {} };
  describeApply(new Command(name).exitOverride().configureOutput(silent))
    .action((bundle, { edge, stateDir, memoryDir, rollback = false, json = false }) => {
      asked = { bundle, edge, stateDir, memoryDir, rollback, json };
    })
    .parse(words, { from: "user" });
  return asked;
}

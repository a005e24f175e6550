import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packageRoot } from "../../runtime/native-process.js";
import { publishBundle } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import { type AcmeEdge, NODE } from "../support/acme-edge.js";
import type { RunningDaemon } from "../support/daemon.js";

/** The ways to put a change in force, and what each takes. Two bundles take turns. */

export type Bundles = readonly [string, string];

/** A change that follows another one of the same customer waits for its end, which is a matter of settling and no work. */
const APART_MS = 500;

/** In one process that has started already; and what libnftables needs for the same firewall, so that a busy machine slows both. */
export async function inOneProcess(edge: AcmeEdge, bundles: Bundles, changes: number) {
  const script = `
    import { spawnSync } from "node:child_process";
    const { apply } = await import(${JSON.stringify(join(packageRoot(), "dist/runtime/apply.js"))});
    const bundles = ${JSON.stringify(bundles)}, node = ${JSON.stringify(NODE)};
    const times = { answer: [], nft: [] };
    await apply({ bundle: bundles[1], node });
    for (let i = 0; i < ${changes}; i++) {
      const bundle = bundles[i % 2];
      const start = performance.now();
      let rest;
      await apply({ bundle, node, afterwards: (ending) => { rest = ending; } });
      times.answer.push(performance.now() - start);
      await rest;
      const again = performance.now();
      spawnSync("nsenter", ["--net=/run/netns/site", "nft", "-f", bundle + "/nft/acme.nft"]);
      times.nft.push(performance.now() - again);
      spawnSync("nsenter", ["--net=/run/netns/site", "nft", "flush", "ruleset"]);
    }
    console.log(JSON.stringify(times));`;
  const printed = edge.server.run(["node", "--input-type=module", "-e", script]);
  return JSON.parse(printed) as { readonly answer: readonly number[]; readonly nft: readonly number[] };
}

/** By the command line: to the printed answer, and to its end. `apart`: the change before has ended. */
export async function byCommand(
  edge: AcmeEdge,
  bundles: Bundles,
  changes: number,
  { file, apart }: { readonly file: string; readonly apart: boolean },
) {
  const [answer, end]: [number[], number[]] = [[], []];
  const command = join(packageRoot(), "dist/runtime/handover/tidegate");
  // The first one finds nothing warm, and the bundle may be in force already.
  for (let i = -1; i < changes; i++) {
    const words = edge.server.enter([command, "apply", bundles[i & 1] ?? "", "--edge", file, "--json"]);
    const times = await timesOf(words);
    if (i >= 0) answer.push(times.answer);
    if (i >= 0) end.push(times.end);
    if (apart) await sleep(APART_MS);
  }
  return { answer, end };
}

/** Through a store: from publishing a bundle to the daemon's word. */
export async function byStore(
  root: string,
  daemon: RunningDaemon,
  bundles: Bundles,
  changes: number,
): Promise<readonly number[]> {
  const store = dirStore(root);
  const times: number[] = [];
  for (let i = -1; i < changes; i++) {
    const start = performance.now();
    const { revision } = await publishBundle(store, bundles[i & 1] ?? "");
    await daemon.says(new RegExp(`acme: revision ${revision} (?:in force|is generation)`));
    if (i >= 0) times.push(performance.now() - start);
    await sleep(APART_MS);
  }
  return times;
}

/** A command that changes nothing, to its end. */
export async function times(words: readonly [string, ...string[]], runs: number): Promise<readonly number[]> {
  const all: number[] = [];
  for (let i = 0; i < runs; i++) all.push((await timesOf(words)).end);
  return all;
}

/** What a command takes to the first that it prints, and to its end. Throws where it fails. */
async function timesOf([program, ...args]: readonly [string, ...string[]]) {
  const start = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let answer = Number.NaN;
  child.stdout.once("data", () => {
    answer = performance.now() - start;
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}`);
  return { answer, end: performance.now() - start };
}

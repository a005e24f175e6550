import { setTimeout as sleep } from "node:timers/promises";
import { median, quantile } from "../../bench/statistics.js";
import type { RunningDaemon } from "../support/daemon.js";
import { bundleFolder } from "./compiling.js";
import { residentBytes } from "./memory.js";
import type { BusyNode } from "./node.js";
import { type Traffic, underTraffic } from "./traffic.js";

/** What a node of so many customers does, in milliseconds and bytes. */
export interface Figures {
  readonly customers: number;
  /** The daemon's apply of one more customer: the median of those that came last. */
  readonly load: number;
  /** A change of one customer until its packets are judged by the new policy. */
  readonly inForce: number;
  /** And until nothing of the old one is left. */
  readonly whole: number;
  readonly longest: number;
  /** The same by `tidegate apply`, until it says so; the start of Node included. */
  readonly command: number;
  /** From the publisher's command to the daemon's word that the change is in force. */
  readonly published: number;
  readonly scrape: number;
  readonly scrapeBytes: number;
  readonly status: number;
  readonly daemonBytes: number;
}

/** Even numbers, so that what was in force before is so again. */
const CHANGES = 20;
const COMMANDS = 8;
const SCRAPES = 5;
const LATEST = 10;
const SETTLED_MS = 2000;
const PACKETS_A_SECOND = 3000;

/** Publishes what customers `from` to `to` begin with, and lets a daemon put it in force; gives the milliseconds of each. */
export async function load(
  node: BusyNode,
  workshop: string,
  { from, to, say }: { readonly from: number; readonly to: number; readonly say: (line: string) => void },
): Promise<readonly number[]> {
  node.know(to);
  for (let index = from; index < to; index++)
    await node.publish(bundleFolder(workshop, { index, variant: 0 }));
  const daemon = await node.startDaemon();
  const times: number[] = [];
  while (times.length < to - from) {
    times.push(await nextApply(daemon));
    if (times.length % 100 === 0)
      say(`${from + times.length} customers: ${median(times.slice(-LATEST))} ms each`);
  }
  return times;
}

/** Of a node with a daemon at work, which is stopped at the end. `loaded`: what `load` gave. */
export async function measure(
  node: BusyNode,
  workshop: string,
  { customers, loaded }: { readonly customers: number; readonly loaded: readonly number[] },
): Promise<Figures> {
  const variants = [1, 0].map((variant) => bundleFolder(workshop, { index: 0, variant }));
  const scrapes: { readonly ms: number; readonly bytes: number }[] = [];
  for (let i = 0; i < SCRAPES; i++) scrapes.push(await node.scrape());
  const published: number[] = [];
  for (const bundle of variants) published.push(await publishAndWait(node, bundle));
  // Until the end of the change before has been noted, status says that it is under way.
  await sleep(SETTLED_MS);
  const status = await node.status();
  if (status.drifted > 0) throw new Error(`${status.drifted} customers lack something`);
  const daemonBytes = residentBytes(node.daemon.pid);
  await node.stopDaemon();
  const changes = await node.changes(variants, CHANGES);
  const commands: number[] = [];
  for (let i = 0; i < COMMANDS; i++)
    commands.push((await node.command(variants[i % variants.length] ?? "")).inForce);
  const wholes = changes.map(({ whole }) => whole);
  return {
    customers,
    load: median(loaded.slice(-LATEST)),
    inForce: median(changes.map(({ inForce }) => inForce)),
    whole: median(wholes),
    longest: quantile(wholes, 1),
    command: median(commands),
    published: median(published),
    scrape: median(scrapes.map(({ ms }) => ms)),
    scrapeBytes: scrapes[0]?.bytes ?? 0,
    status: status.ms,
    daemonBytes,
  };
}

/** A daemon that is killed and started anew while packets come; it has taken over when it puts a change in force. */
export async function restart(
  node: BusyNode,
  workshop: string,
  customers: number,
): Promise<{ readonly traffic: Traffic; readonly ms: number }> {
  await node.startDaemon();
  const { traffic, result } = await underTraffic(
    node.edge,
    { customers, rate: PACKETS_A_SECOND },
    async () => {
      await node.stopDaemon("SIGKILL");
      const started = performance.now();
      await node.startDaemon();
      await publishAndWait(node, bundleFolder(workshop, { index: 0, variant: 1 }));
      return performance.now() - started;
    },
  );
  await node.stopDaemon();
  return { traffic, ms: result };
}

async function publishAndWait(node: BusyNode, bundle: string): Promise<number> {
  const started = performance.now();
  await node.publish(bundle);
  await nextApply(node.daemon);
  return performance.now() - started;
}

/** Waits for the daemon's next word of a revision; gives the milliseconds that it took, as it says. */
async function nextApply(daemon: RunningDaemon): Promise<number> {
  const line = await daemon.says(/: revision \d+ /);
  const [, ms] = /in force as generation \d+ \(\w+, (\d+) ms\)$/.exec(line) ?? [];
  if (ms === undefined) throw new Error(line);
  return Number(ms);
}

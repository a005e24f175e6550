import { setTimeout as sleep } from "node:timers/promises";

/**
 * A packet is on its way from the stamp to the routing table for as long as softirqs and the queues between them take. One
 * that takes longer is dropped, as nobody judges by its stamp any more.
 */
const SETTLE_MS = 250;

/** The end of a change that is in force already: what it replaced is taken away when no packet comes there any more. */
interface Ending {
  readonly generation: number;
  /** When that is, by performance.now(). */
  readonly due: number;
  readonly done: Promise<void>;
}

/** Those that this process will bring to their end, by the customer's folder. They wait without the lock. */
const endings = new Map<string, Ending>();

/** Does `end` when no packet is on its way any more that bears a stamp from before this generation's, which is recorded now. */
export function whenSettled(folder: string, generation: number, end: () => Promise<void>): Promise<void> {
  const due = performance.now() + SETTLE_MS;
  const done = sleep(SETTLE_MS)
    .then(end)
    .finally(() => {
      if (isEnding(folder, generation)) endings.delete(folder);
    });
  endings.set(folder, { generation, due, done });
  return done;
}

/** Will this process end this change? Then nobody else in it need do so. */
export function isEnding(folder: string, generation: number): boolean {
  return endings.get(folder)?.generation === generation;
}

/** Waits until this process has ended its changes, or failed to. */
export async function allEnded(): Promise<void> {
  await Promise.allSettled([...endings.values()].map(({ done }) => done));
}

/**
 * Waits until no packet is on its way that bears a stamp from before the switch to this generation; without one, or where another
 * process switched and nobody knows when, as if that were just now.
 */
export async function settle(folder?: string, generation?: number): Promise<void> {
  const ending = folder === undefined ? undefined : endings.get(folder);
  const known = ending?.generation === generation ? ending?.due : undefined;
  await sleep(known === undefined ? SETTLE_MS : Math.max(0, known - performance.now()));
}

import { builtFile } from "../host.js";
import { NativeError, NativeProcess } from "../native-process.js";

/** An operation of the watcher failed. */
export class WatcherError extends NativeError {}

/** What the watcher tells of its own accord. */
export type WatcherEvent =
  /** struct tg_sample (sample.ts). */
  | { readonly kind: "drop"; readonly sample: Buffer }
  /** Attributes of a message of a trace (trace.ts) in the namespace that was given this name. */
  | {
      readonly kind: "trace";
      readonly name: string;
      readonly message: Buffer;
      /** When it came here, in nanoseconds since boot. */
      readonly at: bigint;
    }
  /** The kernel had messages of traces there that nobody took in time. */
  | { readonly kind: "lost"; readonly name: string };

export interface WatchDrops {
  readonly object: string;
  /** Folder of the root program's pins. */
  readonly root: string;
  /** Of so many drops, one. */
  readonly every: number;
  /** At most so many a second of each rule, on each CPU. */
  readonly perSecond: number;
  /** Only of the customers in these slots; none: of all. */
  readonly slots: readonly number[];
}

export interface DropTally {
  /** Drops that were asked for. */
  readonly seen: number;
  readonly taken: number;
  /** Samples for which there was no room. */
  readonly lost: number;
}

/** The small native process that has what watches in its hands: with it, all of that goes. Methods reject with WatcherError. */
export class Watcher {
  readonly #process: NativeProcess;

  private constructor(process: NativeProcess) {
    this.#process = process;
  }

  static async start(onEvent: (event: WatcherEvent) => void): Promise<Watcher> {
    const command = [builtFile("runtime/watch/tidegate-watch")] as const;
    const process = await NativeProcess.start(command, WatcherError, ([kind, ...fields]) => {
      const event = eventOf(String(kind), fields);
      if (event) onEvent(event);
    });
    return new Watcher(process);
  }

  /** Takes away all that watches, and ends the process. */
  close(): Promise<void> {
    return this.#process.close();
  }

  /** Resolves when the process has ended, to its last words. */
  ended(): Promise<string> {
    return this.#process.ended();
  }

  async watchDrops({ object, root, every, perSecond, slots }: WatchDrops): Promise<void> {
    const words = Buffer.from(Uint32Array.from(slots).buffer);
    await this.#process.call("drops.watch", object, root, String(every), String(perSecond), words);
  }

  async dropTally(): Promise<DropTally> {
    const [seen, taken, lost] = (await this.#process.call("drops.tally")).map(Number);
    return { seen: seen ?? 0, taken: taken ?? 0, lost: lost ?? 0 };
  }

  /** Runs nft commands in a namespace, and hears of the traces there; a table with `flags owner` goes with the watch. */
  async watchTraces(name: string, namespace: string, commands: string): Promise<void> {
    await this.#process.call("traces.watch", name, namespace, commands);
  }

  /** Lets go of the namespace. */
  async endTraces(name: string): Promise<void> {
    await this.#process.call("traces.end", name);
  }
}

function eventOf(kind: string, [first, second]: readonly Buffer[]): WatcherEvent | undefined {
  if (kind === "drop" && first) return { kind, sample: first };
  if (kind === "trace" && first && second)
    return { kind, name: String(first), message: second, at: process.hrtime.bigint() };
  if (kind === "lost" && first) return { kind, name: String(first) };
  return undefined;
}

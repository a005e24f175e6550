import type { NodeConfig } from "../../src/targets/manifest.js";
import { causeOf, wordsOf } from "../failures.js";
import { Paths } from "../state.js";
import type { Store } from "../store/store.js";
import type { Engine } from "./engine.js";
import type { Say } from "./journal.js";
import { Memory } from "./memory.js";
import type { Observer } from "./observer.js";
import { Reconciler } from "./reconciler.js";
import type { Notifier } from "./systemd.js";

export interface DaemonOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly stateDir: string;
  /** Ends the changes of runs that were killed; gives whose they were. */
  readonly recover: () => Promise<readonly string[]>;
  /** Reads the description of the node; throws for one that is not right. */
  readonly readNode: () => NodeConfig;
  /** How often the store is asked, should its watch miss something. */
  readonly pollMs: number;
  /** How often the node is looked at. */
  readonly lookMs: number;
  readonly say: Say;
  readonly observer: Observer;
  readonly notifier: Notifier;
}

/** A head that appears takes the place of an older one, which goes a moment later: both are one change. */
const SETTLE_MS = 5;

/** A round that takes longer hangs, and systemd is to start the daemon anew: applying has its journal for that. */
const STUCK_MS = 10 * 60_000;

/**
 * Follows a store until it is stopped. That takes nothing down: what is in force is the kernel's, and filters on.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  #node: NodeConfig;
  #stopping = false;
  #reload = false;
  #wake = () => {};
  #woken = false;
  #roundStarted = 0;
  #recovered = false;
  #recoveryTold = "";

  /** Throws what `readNode` throws: a daemon that never knew its node has nothing to do. */
  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#node = options.readNode();
  }

  /** Ends `run` after the change that is under way. */
  stop(): void {
    this.#stopping = true;
    this.#rouse();
  }

  /** Reads the description of the node again, and tries again what was refused. */
  reload(): void {
    this.#reload = true;
    this.#rouse();
  }

  async run(): Promise<void> {
    const { store, stateDir, say, notifier, pollMs, lookMs } = this.#options;
    const reconciler = await this.#reconciler(new Paths(stateDir).daemon());
    const watch = store.watch(() => setTimeout(() => this.#rouse(), SETTLE_MS).unref());
    notifier.watch(() => performance.now() - this.#roundStarted < STUCK_MS || this.#roundStarted === 0);
    say("info", `following ${store.name}`);
    if (!this.#node.keys) say("warning", "unsigned bundles are taken here: the node names no keys");
    let look = 0;
    let first = true;
    while (!this.#stopping) {
      this.#roundStarted = performance.now();
      if (this.#takeReload()) reconciler.reconsider();
      if (!this.#recovered) await this.#recover();
      await reconciler.endChanges();
      await reconciler.describe(this.#node);
      await reconciler.round(this.#node);
      if (performance.now() >= look && !this.#stopping) {
        await reconciler.mend(this.#node);
        look = performance.now() + lookMs;
      }
      this.#roundStarted = 0;
      if (first) notifier.ready(`following ${store.name}`);
      first = false;
      await this.#sleep(Math.min(pollMs, reconciler.next(), look - performance.now()));
    }
    notifier.stopping();
    watch.close();
    notifier.close();
    say("info", "stopped; what is in force stays in force");
  }

  /** Once, and again where it failed: the store may have nothing new for a customer whose last change was cut short. */
  async #recover(): Promise<void> {
    const { recover, say } = this.#options;
    try {
      for (const customer of await recover())
        say("warning", `${customer}: a change was cut short before this start, and is ended now`);
      this.#recovered = true;
    } catch (error) {
      const words = `cannot end what was cut short before this start: ${wordsOf(error)}`;
      if (words !== this.#recoveryTold) say("warning", words);
      this.#recoveryTold = words;
    }
  }

  async #reconciler(file: string): Promise<Reconciler> {
    const { store, engine, say, observer } = this.#options;
    const { memory, lost } = await Memory.read(file);
    if (lost !== null) say("warning", `${file}: ${lost}; every customer's head is tried again`);
    const now = () => performance.now();
    return new Reconciler({
      ...{ store, engine, say, observer, memory, now },
      isStopping: () => this.#stopping,
    });
  }

  /** True: the node may be described differently now. */
  #takeReload(): boolean {
    const { readNode, say, notifier, store } = this.#options;
    if (!this.#reload) return false;
    this.#reload = false;
    notifier.reloading();
    try {
      this.#node = readNode();
      say("info", "read the description of the node again");
    } catch (error) {
      say("error", `the description of the node stays as it was: ${causeOf(error)}`);
    }
    notifier.ready(`following ${store.name}`);
    return true;
  }

  #rouse(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Sleeps so long, or until there is something to do; not at all if that came while nobody slept. */
  async #sleep(ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, ms));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#woken = false;
    this.#wake = () => {};
  }
}

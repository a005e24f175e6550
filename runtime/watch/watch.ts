import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { causeOf, failure } from "../failures.js";
import { builtFile, type Host, tolerating, withHost } from "../host.js";
import { ERRNO, LoaderError } from "../loader-client.js";
import { rootMap } from "../node/root-program.js";
import { DEFAULT_STATE_DIR, type LoadedCustomer, readCustomers } from "../state.js";
import { Firewalls } from "./firewalls.js";
import { Judge, type WatchedPacket } from "./judge.js";
import { ruleNames } from "./rules.js";
import { type DropTally, Watcher, type WatcherEvent } from "./watcher.js";

export interface WatchOptions {
  readonly stateDir?: string;
  /** None: all, and those who come meanwhile. */
  readonly customers: readonly string[];
  /** `mitigate`: only what XDP drops by the rules of that stage, or before; nobody looks into the firewalls. */
  readonly stage?: "mitigate" | "firewall";
  readonly rule?: string;
  /** Of so many, one. */
  readonly sample: number;
  /** Words for a hint where a name is not known; undefined: none is close. */
  readonly suggest?: (written: string, names: Iterable<string>) => string | undefined;
  readonly onPacket: (packet: WatchedPacket) => void;
  /** What is not seen, and why. */
  readonly onNote: (text: string) => void;
  /** Ends the watch. */
  readonly until: AbortSignal;
}

export interface WatchSummary {
  readonly drops: DropTally;
  /** How often the kernel had messages of firewalls' traces that nobody took in time. */
  readonly tracesLost: number;
}

/** Of each rule, on each CPU: more nobody reads, and they cost. */
const DROPS_PER_SECOND = 100;

/** enum tg_dropped in bpf-templates/tidegate.h. */
const PLACES = 3;

/** So often customers that came or went meanwhile are looked for. */
const LOOK_MS = 1000;

/** Shows packets as they are judged, until it is told to end. Throws TG9001, TG9010, TG9018 to TG9021. */
export function watch(options: WatchOptions): Promise<WatchSummary> {
  const { stateDir = DEFAULT_STATE_DIR } = options;
  return withHost({ stateDir, lock: false }, async (host) => {
    const customers = await chosenCustomers(host, options);
    await becomeTheOnlyOne(host);
    for (const { customer, manifest } of customers)
      if (!manifest.watched)
        options.onNote(
          `${customer} was compiled by a Tidegate that could not watch: compile and apply it again`,
        );
    const run = new Run(host, options, customers);
    return run.toItsEnd();
  });
}

async function chosenCustomers(
  { paths }: Host,
  { customers, rule, suggest }: WatchOptions,
): Promise<readonly LoadedCustomer[]> {
  const loaded = await readCustomers(paths);
  if (loaded.length === 0) throw failure("TG9018", {}, "load a bundle with `tidegate apply`");
  if (!existsSync(rootMap(paths, "watchers")))
    throw failure("TG9020", {}, "`tidegate uninstall`, and apply the customers again");
  const names = loaded.map(({ customer }) => customer);
  for (const customer of customers)
    if (!names.includes(customer))
      throw failure("TG9010", { customer }, suggest?.(customer, names) ?? `loaded are: ${names.join(", ")}`);
  const chosen = loaded.filter(({ customer }) => customers.length === 0 || customers.includes(customer));
  const rules = ruleNames(chosen);
  if (rule !== undefined && !rules.has(rule))
    throw failure("TG9021", { rule }, suggest?.(rule, rules) ?? "`tidegate status` lists all rules");
  return chosen;
}

/** There is one place for who watches. The lock is the loader's, and goes with it. */
async function becomeTheOnlyOne({ loader, paths }: Host): Promise<void> {
  await loader.lock(paths.watchLock()).catch((error: unknown) => {
    if (!(error instanceof LoaderError && error.errno === ERRNO.EAGAIN)) throw error;
    throw failure("TG9019", { cause: causeOf(error) }, "end it first", error);
  });
}

/** Events that wait to be judged; those of a flood that come faster than that are counted as lost. */
const MOST_QUEUED = 10_000;

/** One watch, from its first sample to its last. */
class Run {
  readonly #host: Host;
  readonly #options: WatchOptions;
  readonly #customers: readonly LoadedCustomer[];
  readonly #judge: Judge;
  /** What is to be done with events, one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  #queued = 0;
  readonly #failed: unknown[] = [];
  #tracesLost = 0;

  constructor(host: Host, options: WatchOptions, customers: readonly LoadedCustomer[]) {
    this.#host = host;
    this.#options = options;
    this.#customers = customers;
    this.#judge = new Judge(host);
  }

  async toItsEnd(): Promise<WatchSummary> {
    const watcher = await Watcher.start((event) => this.#take(event));
    try {
      await watcher.watchDrops({
        object: builtFile("bpf/watch.bpf.o"),
        root: this.#host.paths.bpf("root"),
        every: this.#options.sample,
        perSecond: DROPS_PER_SECOND,
        slots: this.#options.customers.length === 0 ? [] : this.#customers.map(({ slot }) => slot),
      });
      await this.#follow(watcher);
      const drops = await watcher.dropTally();
      await this.#work;
      if (this.#failed.length > 0) throw this.#failed[0];
      return { drops, tracesLost: this.#tracesLost };
    } finally {
      await watcher.close();
    }
  }

  /** Until the watch is to end, or the watcher has. */
  async #follow(watcher: Watcher): Promise<void> {
    const { until, customers, sample, stage } = this.#options;
    const firewalls = new Firewalls(this.#host, watcher, { customers, sample });
    let last: string | undefined;
    const ended = watcher.ended().then((words) => {
      last = words;
    });
    while (!until.aborted && last === undefined && this.#failed.length === 0) {
      if (stage !== "mitigate") await firewalls.follow();
      await Promise.race([ended, pause(LOOK_MS, until)]);
    }
    if (last === undefined) return;
    await this.#clearPlaces();
    throw failure("TG9015", { cause: last }, "watch again; nothing is left of this one");
  }

  /** Of a watcher that was killed: it had no time to do so. */
  async #clearPlaces(): Promise<void> {
    const { loader, paths } = this.#host;
    for (let place = 0; place < PLACES; place++)
      await tolerating(["ENOENT"], loader.clearProgram(rootMap(paths, "watchers"), place));
  }

  #take(event: WatcherEvent): void {
    if (event.kind === "lost") this.#tracesLost++;
    else if (this.#queued === MOST_QUEUED) this.#tracesLost++;
    else {
      this.#queued++;
      this.#work = this.#work
        .then(() => this.#show(event))
        .catch((error: unknown) => this.#failed.push(error));
    }
  }

  async #show(event: WatcherEvent): Promise<void> {
    this.#queued--;
    if (this.#options.until.aborted) return;
    const packet = await this.#judge.judged(event);
    if (!packet || this.#options.until.aborted) return;
    const { stage, rule } = this.#options;
    if (stage !== undefined && packet.stage !== stage) return;
    const isRules = packet.stage !== "root" && packet.reason === null;
    if (rule !== undefined && !(isRules && (packet.rule ?? "default") === rule)) return;
    this.#options.onPacket(packet);
  }
}

async function pause(milliseconds: number, until: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal: until }).catch(() => undefined);
}

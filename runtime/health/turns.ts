import type { Blackhole } from "../customer/blackholes.js";
import type { Say } from "../daemon/journal.js";
import { wordsOf } from "../failures.js";
import { type Followed, followRouters } from "./follow.js";
import type { Life } from "./liveness.js";
import type { TunnelRow } from "./tunnel-prober.js";

export interface TurnsOptions {
  readonly stateDir: string;
  readonly say: Say;
  /** What is thought of a tunnel's router now; undefined: nobody asks. */
  readonly lifeOf: (customer: string, row: TunnelRow) => Life | undefined;
}

/** Another thing is thought of a tunnel's router. */
export interface Turn {
  readonly customer: string;
  readonly row: TunnelRow;
  readonly life: Life;
  readonly was: Life;
}

/** How long to wait where the lock, or the kernel, could not be had. */
const AGAIN_MS = 500;

/** Has routing tables go by what was found out about routers, one customer at a time. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #due = new Set<string>();
  #working: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  /** Those that could not follow yet, and why. */
  readonly #behind = new Map<string, string>();
  /** The prefixes that were said to be black holes, by customer. */
  readonly #closed = new Map<string, ReadonlySet<string>>();
  #ending = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  note(turn: Turn): void {
    const { say } = this.#options;
    const { level, text } = toldOf(turn);
    say(level, text);
    this.sync(turn.customer);
  }

  /** Has the routes be as what is known says: who ended, or was ended, may have left them otherwise. */
  sync(customer: string): void {
    this.#due.add(customer);
    this.#work();
  }

  /** The customer is gone. */
  forget(customer: string): void {
    this.#closed.delete(customer);
  }

  /** Ends what is under way. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#working;
    clearTimeout(this.#again);
  }

  #work(): void {
    this.#working ??= this.#workOff().finally(() => {
      this.#working = undefined;
      if (this.#due.size > 0 && !this.#ending) this.#work();
    });
  }

  async #workOff(): Promise<void> {
    for (const customer of this.#due) {
      if (this.#ending) return;
      this.#due.delete(customer);
      const { stateDir, lifeOf } = this.#options;
      await followRouters({ stateDir, customer, lifeOf: (row) => lifeOf(customer, row) }).then(
        (followed) => this.#followed(customer, followed),
        (error: unknown) => this.#failed(customer, wordsOf(error)),
      );
    }
  }

  #followed(customer: string, { closed, deaf }: Followed): void {
    const { say } = this.#options;
    if (deaf) this.#failed(customer, wordsOf(deaf));
    else this.#behind.delete(customer);
    const before = this.#closed.get(customer) ?? new Set();
    const now = new Set(closed.map(({ prefix }) => prefix));
    this.#closed.set(customer, now);
    for (const one of closed) if (!before.has(one.prefix)) say("warning", `${customer}: ${beginOf(one)}`);
    for (const prefix of before)
      if (!now.has(prefix)) say("info", `${customer}: ${prefix} is no black hole any more`);
  }

  /** One customer's trouble is no reason to let the others wait. */
  #failed(customer: string, cause: string): void {
    const words = `${customer}: cannot follow its routers yet: ${cause}`;
    if (words !== this.#behind.get(customer)) this.#options.say("warning", words);
    this.#behind.set(customer, words);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      for (const behind of this.#behind.keys()) this.sync(behind);
    }, AGAIN_MS);
  }
}

function beginOf({ prefix, tunnels }: Blackhole): string {
  const whose =
    tunnels.length === 1 ? "when its tunnel lives again:" : "when one of its tunnels lives again:";
  return `${prefix} is a black hole, its packets are dropped; it ends ${whose} ${tunnels.join(", ")}`;
}

function toldOf({ customer, row, life, was }: Turn): {
  readonly level: "warning" | "info";
  readonly text: string;
} {
  const tunnel = `${customer}: tunnel ${row.name}`;
  if (life === "dead") {
    const losses = row.health?.down === 1 ? "1 probe" : `${row.health?.down} probes in a row`;
    const text = `${tunnel} is dead: ${losses} to ${row.health?.target} without an answer; left out where another lives`;
    return { level: "warning", text };
  }
  const again = was === "dead" ? "lives again, and has its part of the packets" : "lives: its router answers";
  return { level: "info", text: `${tunnel} ${again}` };
}

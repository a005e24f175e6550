import { RuntimeFailure } from "../failures.js";

const FIRST_MS = 1_000;
const LONGEST_MS = 5 * 60_000;

/** How long to wait after a number of failures, from 1: twice as long each time, and five minutes at most. */
export function delayAfter(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
}

/** Those of the refusals of a bundle that another customer of the node is the cause of, who may give way. */
const OTHERS_FAULT = new Set(["TG5008", "TG5009", "TG5011", "TG5026"]);

/** Of the failures of a node those that the bundle is the cause of. */
const BUNDLES_FAULT = new Set(["TG9102"]);

/** Will the same revision fail again, as long as the node is described as it is? */
export function isLasting(error: unknown): error is RuntimeFailure {
  if (!(error instanceof RuntimeFailure)) return false;
  const { code } = error;
  return BUNDLES_FAULT.has(code) || (code.startsWith("TG50") && !OTHERS_FAULT.has(code));
}

interface Wait {
  readonly revision: number;
  readonly failures: number;
  /** Milliseconds of the clock that `now` reads. */
  readonly due: number;
  readonly why: string;
}

/** The revisions that could not be put in force yet, and when each is tried again. */
export class Waiting {
  readonly #now: () => number;
  readonly #waits = new Map<string, Wait>();

  constructor(now: () => number) {
    this.#now = now;
  }

  isDue(customer: string, revision: number): boolean {
    const wait = this.#waits.get(customer);
    return wait === undefined || wait.revision !== revision || wait.due <= this.#now();
  }

  /** Notes one more failure. Gives how long to wait, and whether it is another failure than the last time. */
  failed(customer: string, revision: number, why: string): { readonly ms: number; readonly isNew: boolean } {
    const before = this.#waits.get(customer);
    const again = before?.revision === revision;
    const failures = again ? before.failures + 1 : 1;
    const ms = delayAfter(failures);
    this.#waits.set(customer, { revision, failures, due: this.#now() + ms, why });
    return { ms, isNew: !again || before.why !== why };
  }

  done(customer: string): void {
    this.#waits.delete(customer);
  }

  /** After a change of the node all are tried at once: one customer may have stood in the way of another. */
  hurry(): void {
    for (const [customer, wait] of this.#waits) this.#waits.set(customer, { ...wait, due: this.#now() });
  }

  /** Milliseconds until the next one is due; Infinity if there is none. */
  next(): number {
    const due = Math.min(...[...this.#waits.values()].map((wait) => wait.due));
    return Math.max(0, due - this.#now());
  }

  count(): number {
    return this.#waits.size;
  }
}

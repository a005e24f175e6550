import type { NodeConfig } from "../../src/targets/manifest.js";
import { failure, RuntimeFailure, wordsOf } from "../failures.js";
import { MANIFEST_FILE } from "../state.js";
import { fetchBundle } from "../store/bundles.js";
import type { Files, Head, Store } from "../store/store.js";
import type { RuntimeWarning } from "../warnings.js";
import type { Engine, Found, InForce } from "./engine.js";
import type { Say } from "./journal.js";
import type { Memory, Outcome } from "./memory.js";
import type { Observer } from "./observer.js";
import { isLasting, Waiting } from "./waiting.js";

export interface ReconcilerOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly memory: Memory;
  readonly say: Say;
  readonly observer: Observer;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Is there to be no further change? Asked between two customers. */
  readonly isStopping: () => boolean;
}

/** Customers that one look at the node asks about, in turn: with a thousand of them it takes its time. */
const LOOKED_AT = 16;

/** `Waiting` tells revisions apart; the end of one is as good as that of another. */
const ENDS = 0;

/** Brings a node to what the store wants, one customer at a time. Never throws: whatever fails is said, and tried again. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #waiting: Waiting;
  /** Troubles that were told of, by what they are about, so that each is told of once. */
  readonly #told = new Map<string, string>();
  /** Customers that such troubles may be about: a look forgets those of who is not in force any more. */
  readonly #troubled = new Set<string>();
  /** Refused before, and to be tried once more. */
  readonly #again = new Set<string>();
  /** In force, but not on the node as it is described now. */
  readonly #undescribed = new Set<string>();
  readonly #redescribing: Waiting;
  /** In force, but not all of what was so before is gone: the end of the change failed. */
  readonly #unended = new Set<string>();
  readonly #ending: Waiting;
  /** The description that they wait for. */
  #described = "";
  #lastLookedAt = "";

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#waiting = new Waiting(options.now);
    this.#redescribing = new Waiting(options.now);
    this.#ending = new Waiting(options.now);
  }

  /** Milliseconds until a customer is due that could not be changed before; Infinity if there is none. */
  next(): number {
    return Math.min(this.#waiting.next(), this.#redescribing.next(), this.#ending.next());
  }

  /** Follows every head that is new, or whose turn has come again. */
  async round(node: NodeConfig): Promise<void> {
    const { store, memory, isStopping, observer } = this.#options;
    const heads = await this.#telling(store.name, () => store.heads());
    if (!heads) return;
    for (const [customer, revision] of heads) {
      if (isStopping()) return;
      const isNew = memory.of(customer)?.revision !== revision || this.#again.has(customer);
      if (!isNew || !this.#waiting.isDue(customer, revision)) continue;
      await this.#follow(customer, revision, node);
    }
    for (const [customer, { last }] of memory.all()) {
      const isGone = last !== null && !heads.has(customer);
      const words =
        "is not in the store any more; it stays in force (`tidegate publish --remove` takes it away)";
      this.#tell(`head of ${customer}`, isGone ? `${customer}: ${words}` : null);
    }
    observer.waiting(this.#waiting.count());
  }

  /** Tells of ends of changes that failed, and tries them again. */
  async endChanges(): Promise<void> {
    const { engine, say } = this.#options;
    for (const [customer, error] of engine.unended()) this.#notEnded(customer, error);
    const due = [...this.#unended].filter((customer) => this.#ending.isDue(customer, ENDS));
    if (due.length === 0) return;
    try {
      await engine.endChanges();
    } catch (error) {
      for (const customer of due) this.#notEnded(customer, error);
      return;
    }
    for (const customer of this.#unended) {
      this.#ending.done(customer);
      say("info", `${customer}: the old policy is taken away now`);
    }
    this.#unended.clear();
  }

  #notEnded(customer: string, error: unknown): void {
    this.#unended.add(customer);
    const why = wordsOf(error);
    const { ms, isNew } = this.#ending.failed(customer, ENDS, why);
    if (isNew)
      this.#options.say(
        "warning",
        `${customer}: the old policy is not taken away yet: ${why}; next try in ${Math.round(ms / 1000)} s`,
      );
  }

  /** Tries everything again that was refused, or that waits: the node may be described differently. */
  reconsider(): void {
    for (const customer of this.#options.memory.refused()) this.#again.add(customer);
    this.#waiting.hurry();
  }

  /** Puts what is in force in force again where the node is described differently now; what fails is tried again. */
  async describe(node: NodeConfig): Promise<void> {
    const { engine, isStopping, say } = this.#options;
    await this.#telling("the node's state", async () => {
      const before = await engine.nodeInForce();
      if (before === undefined) return;
      const inForce = await engine.inForce();
      this.#expect(node, before, inForce);
      for (const current of inForce.filter(({ customer }) => this.#undescribed.has(customer))) {
        if (isStopping()) return;
        const { customer } = current;
        if (!this.#redescribing.isDue(customer, current.generation)) continue;
        const applied = await this.#applyAgain(current, node);
        if (!applied) {
          this.#redescribing.failed(customer, current.generation, "");
          continue;
        }
        this.#redescribing.done(customer);
        this.#undescribed.delete(customer);
        say("info", `${customer}: in force on the node as it is described now`);
      }
    });
  }

  /** Notes who is to be put in force again, where that is not under way: the first one that succeeds changes what is in force. */
  #expect(node: NodeConfig, before: NodeConfig, inForce: readonly InForce[]): void {
    const text = JSON.stringify(node);
    const customers = new Set(inForce.map(({ customer }) => customer));
    for (const gone of [...this.#undescribed].filter((customer) => !customers.has(customer))) {
      this.#undescribed.delete(gone);
      this.#redescribing.done(gone);
    }
    if (JSON.stringify(before) === text) return;
    if (this.#described === text && this.#undescribed.size > 0) return;
    this.#described = text;
    this.reconsider();
    for (const customer of customers) this.#undescribed.add(customer);
    this.#redescribing.hurry();
  }

  /** Looks at the node and at some of its customers, and mends what is missing. */
  async mend(node: NodeConfig): Promise<void> {
    const { engine, isStopping, observer } = this.#options;
    await this.#telling("the look at the node", async () => {
      const all = await engine.inForce();
      const found = await engine.look(new Set(this.#turnOf(all.map(({ customer }) => customer))));
      observer.drift(null, found.node.length);
      for (const { customer, drift } of found.customers) observer.drift(customer, drift.length);
      this.#tellOwn(found.warnings);
      const drifted = found.customers.filter(({ drift }) => drift.length > 0);
      // Any customer's change brings the node's own parts back.
      const first = drifted.length === 0 && found.node.length > 0 ? found.customers.slice(0, 1) : [];
      for (const current of [...drifted, ...first]) {
        if (isStopping()) return;
        await this.#mendOne(current, [...found.node, ...current.drift], node);
      }
    });
  }

  /** Of each customer in force; who is not any more has no trouble either. */
  #tellOwn(warnings: Found["warnings"]): void {
    for (const customer of new Set([...this.#troubled, ...warnings.keys()])) {
      this.#tell(ownOf(customer), warnedOf(customer, warnings.get(customer) ?? []));
      if (warnings.has(customer)) continue;
      this.#tell(againOf(customer), null);
      this.#troubled.delete(customer);
    }
  }

  #turnOf(customers: readonly string[]): readonly string[] {
    const sorted = [...customers].sort();
    const at = sorted.findIndex((customer) => customer > this.#lastLookedAt);
    const turn = [...sorted.slice(Math.max(at, 0)), ...sorted.slice(0, Math.max(at, 0))].slice(0, LOOKED_AT);
    this.#lastLookedAt = turn.at(-1) ?? "";
    return turn;
  }

  async #follow(customer: string, revision: number, node: NodeConfig): Promise<void> {
    const { store, observer, now } = this.#options;
    const started = now();
    try {
      const head = await store.head(customer);
      if (!head) return;
      const { content } = head;
      await (content.kind === "removed" ? this.#remove(head) : this.#apply(head, content.files, node));
      this.#waiting.done(customer);
      this.#again.delete(customer);
      this.#waiting.hurry();
    } catch (error) {
      observer.failed(customer, error instanceof RuntimeFailure ? error.code : "unknown", now() - started);
      await this.#failed(customer, revision, error);
    }
  }

  async #remove({ customer, revision }: Head): Promise<void> {
    const { engine, say } = this.#options;
    const wasThere = await engine.remove(customer);
    await this.#note(customer, { revision, state: "removed", why: "", last: null });
    this.#options.observer.removed(customer);
    if (wasThere) say("info", `${customer}: removed, as revision ${revision} says`);
  }

  async #apply({ customer, revision }: Head, files: Files, node: NodeConfig): Promise<void> {
    const { store, engine, say, observer, now } = this.#options;
    const folder = engine.incoming(customer);
    try {
      await fetchBundle(store, { customer, revision, files }, folder);
      const started = now();
      const { generation, hash, changed, warnings } = await engine.apply(folder, node);
      const ms = now() - started;
      if (changed) observer.applied(customer, ms);
      await this.#note(customer, { revision, state: "in-force", why: "", last: { revision, files } });
      const how = changed ? `in force as generation ${generation}` : `is generation ${generation} already`;
      say("info", `${customer}: revision ${revision} ${how} (${hash.slice(0, 12)}, ${Math.round(ms)} ms)`);
      const isOwn = ({ code }: RuntimeWarning) => code === "TG9024";
      for (const one of warnings.filter((one) => !isOwn(one))) say("warning", warningText(customer, one));
      // As the looks do, which find it, too: it is said once.
      this.#troubled.add(customer);
      this.#tell(ownOf(customer), warnedOf(customer, warnings.filter(isOwn)));
    } finally {
      await engine.clearIncoming(customer);
    }
  }

  async #failed(customer: string, revision: number, error: unknown): Promise<void> {
    const { memory, say } = this.#options;
    const why = wordsOf(error);
    const last = memory.of(customer)?.last ?? null;
    const stays = last ? `; revision ${last.revision} stays in force` : "";
    if (isLasting(error)) {
      this.#waiting.done(customer);
      this.#again.delete(customer);
      await this.#note(customer, { revision, state: "refused", why, last });
      say("error", `${customer}: revision ${revision} refused: ${why}${stays}`);
      return;
    }
    const { ms, isNew } = this.#waiting.failed(customer, revision, why);
    const again = `next try in ${Math.round(ms / 1000)} s`;
    if (isNew) say("warning", `${customer}: revision ${revision} not in force yet: ${why}; ${again}${stays}`);
  }

  async #mendOne(current: InForce, drift: readonly string[], node: NodeConfig): Promise<void> {
    const { say, observer } = this.#options;
    const applied = await this.#applyAgain(current, node);
    if (!applied?.changed) return;
    observer.drift(null, 0);
    observer.drift(current.customer, 0);
    say("warning", `${current.customer}: mended, there was missing: ${drift.join(", ")}`);
  }

  /**
   * Applies what is in force once more. Undefined: it cannot be had, or was refused, and that was said; or something else has been put
   * in force since it was looked at, which must not be taken back.
   */
  async #applyAgain(current: InForce, node: NodeConfig) {
    const { engine } = this.#options;
    const { customer } = current;
    this.#troubled.add(customer);
    return this.#telling(againOf(customer), async () => {
      try {
        const folder = (await engine.storedBundle(current)) ?? (await this.#fetchAgain(current));
        const applied = await engine.apply(folder, node, { onlyOver: current.hash });
        return applied.overtaken ? undefined : applied;
      } finally {
        await engine.clearIncoming(customer);
      }
    });
  }

  /** For a node whose own copy is damaged: the store may still have what is in force. */
  async #fetchAgain({ customer, hash }: InForce): Promise<string> {
    const { store, engine, memory } = this.#options;
    const last = memory.of(customer)?.last;
    const folder = engine.incoming(customer);
    if (last?.files[MANIFEST_FILE] !== hash) {
      const problem = "the node's copy of its bundle is damaged, and it did not come from the store";
      throw failure("TG9011", { file: customer, problem }, null);
    }
    await fetchBundle(store, { customer, ...last }, folder);
    return folder;
  }

  async #note(customer: string, outcome: Omit<Outcome, "at">): Promise<void> {
    const { memory } = this.#options;
    await this.#telling("what is remembered", () =>
      memory.note(customer, { ...outcome, at: new Date().toISOString() }),
    );
  }

  /** Does something whose failure is no reason to stop; says so once. */
  async #telling<T>(about: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await action();
      this.#tell(about, null);
      return result;
    } catch (error) {
      this.#tell(about, `${about}: ${wordsOf(error)}`);
      return undefined;
    }
  }

  #tell(about: string, trouble: string | null): void {
    const { say } = this.#options;
    const before = this.#told.get(about) ?? null;
    if (trouble === before) return;
    if (trouble === null) {
      this.#told.delete(about);
      say("info", `${about}: well again`);
    } else {
      this.#told.set(about, trouble);
      say("warning", trouble);
    }
  }
}

function warningText(customer: string, { message, hint }: RuntimeWarning): string {
  return `${customer}: ${message}: ${hint}`;
}

/** What troubles of a customer in force are about. */
function ownOf(customer: string): string {
  return `${customer}: addresses of the server's own`;
}

function againOf(customer: string): string {
  return `${customer}, again`;
}

function warnedOf(customer: string, warnings: readonly RuntimeWarning[]): string | null {
  return warnings.length === 0 ? null : warnings.map((one) => warningText(customer, one)).join("; ");
}

import type { Manifest } from "../../src/targets/manifest.js";
import { stampOf } from "../node/constants.js";
import { type Paths, readCustomers, storedGenerations, storedManifest } from "../state.js";

/** A generation of a customer that judges packets, or did a moment ago. */
export interface Judging {
  readonly customer: string;
  readonly generation: number;
  readonly manifest: Manifest;
}

/** How old what is known may be. */
const LOOK_MS = 500;

/** Who judges, by what packets show of it: the customer's slot or name, and the stamp of the generation. */
export class Generations {
  readonly #paths: Paths;
  #slots: ReadonlyMap<number, string> = new Map();
  /** What is known stays known: packets of a generation that is gone may still be on their way here. */
  readonly #known = new Map<string, Judging>();
  readonly #looked = new Map<string, number>();

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  async inSlot(slot: number, stamp: number): Promise<Judging | undefined> {
    await this.#readRecords();
    const customer = this.#slots.get(slot);
    return customer === undefined ? undefined : this.of(customer, stamp);
  }

  async of(customer: string, stamp: number): Promise<Judging | undefined> {
    await this.#readRecords();
    const found = this.#known.get(keyOf(customer, stamp));
    if (found || !this.#isTime(customer)) return found;
    // While a change is under way, more than what is recorded judges.
    for (const generation of await storedGenerations(this.#paths, customer)) {
      const manifest = await storedManifest(this.#paths, customer, generation);
      if (manifest) this.#know({ customer, generation, manifest });
    }
    return this.#known.get(keyOf(customer, stamp));
  }

  async #readRecords(): Promise<void> {
    if (!this.#isTime("")) return;
    const loaded = await readCustomers(this.#paths);
    this.#slots = new Map(loaded.map(({ slot, customer }) => [slot, customer]));
    for (const one of loaded) this.#know(one);
  }

  #know({ customer, generation, manifest }: Judging): void {
    this.#known.set(keyOf(customer, stampOf(generation)), { customer, generation, manifest });
  }

  #isTime(about: string): boolean {
    const now = Date.now();
    if (now - (this.#looked.get(about) ?? 0) < LOOK_MS) return false;
    this.#looked.set(about, now);
    return true;
  }
}

function keyOf(customer: string, stamp: number): string {
  return `${customer} ${stamp}`;
}

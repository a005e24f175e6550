/** Work that is counted, so that what takes too much of it ends at the same point on every machine. */
export class Effort {
  readonly #most: number;
  #made = 0;
  #isSpent = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** Steps that were allowed. */
  get made(): number {
    return this.#made;
  }

  /** Whether so many steps more, each of about a nanosecond, are allowed. Once they are not, none are. */
  spend(steps: number): boolean {
    this.#isSpent ||= this.#made + steps >= this.#most;
    if (!this.#isSpent) this.#made += steps;
    return !this.#isSpent;
  }
}

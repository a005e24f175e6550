/** Work that is counted, so that what takes too much of it ends at the same point on every machine. */
export class Effort {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  /** Whether so many steps more are allowed; each about a nanosecond or two. */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left > 0;
  }
}

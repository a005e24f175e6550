/** A row of numbers, of which ranges are counted up and single ones read, in logarithmic time (Fenwick, 1994). */
export class Counts {
  readonly #steps: Int32Array;

  constructor(length: number) {
    this.#steps = new Int32Array(length + 1);
  }

  /** One more for each from index `from` to before `to`. */
  add(from: number, to: number): void {
    this.#step(from, 1);
    this.#step(to, -1);
  }

  at(index: number): number {
    let sum = 0;
    for (let i = index + 1; i > 0; i -= i & -i) sum += this.#steps[i] as number;
    return sum;
  }

  #step(index: number, by: number): void {
    for (let i = index + 1; i < this.#steps.length; i += i & -i) {
      this.#steps[i] = (this.#steps[i] as number) + by;
    }
  }
}

/** Marsaglia's xorshift of 32 bits: chance that comes again with its seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike, and 0 would stay 0.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1;
  }

  /** From 0 to below 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 0x1_0000_0000;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the items; there must be one. */
  among<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("among nothing there is no choice");
    return item;
  }

  /** One of the items, the earlier ones more often: as Zipf's law has it, with an exponent of about 1. */
  zipf<T>(items: readonly T[]): T {
    const rank = Math.floor((items.length + 1) ** this.next()) - 1;
    return items[Math.min(rank, items.length - 1)] ?? this.among(items);
  }

  weighted<T>(choices: readonly (readonly [weight: number, item: T])[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.next() * total;
    for (const [weight, item] of choices) {
      left -= weight;
      if (left < 0) return item;
    }
    return this.among(choices)[1];
  }

  /** How often something comes, at least once: Pareto with shape 1 and the scale, as ClassBench's traces repeat headers. */
  pareto(scale: number): number {
    return Math.max(1, Math.ceil(scale / (1 - this.next())));
  }
}

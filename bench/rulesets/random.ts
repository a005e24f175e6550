import { Chance } from "../../src/compiler/analysis/chance.js";

/** Chance as rule sets and traces take it. */
export class Random extends Chance {
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the items; there must be one. */
  override among<T>(items: readonly T[]): T {
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

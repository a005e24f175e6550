import { CATALOGUE, isCode } from "../../src/compiler/diagnostics/catalogue/index.js";
import type { Trial } from "./trial.js";

/** What a run of many trials has seen. */
export class Tally {
  #inputs = 0;
  #understood = 0;
  #milliseconds = 0;
  #slowest: Trial | undefined;
  readonly #codes = new Map<string, number>();
  readonly #kinds = new Map<string, { inputs: number; understood: number }>();

  add(trial: Trial): void {
    this.#inputs++;
    this.#milliseconds += trial.milliseconds;
    if (trial.milliseconds >= (this.#slowest?.milliseconds ?? 0)) this.#slowest = trial;
    const understood = trial.outcome?.understood ? 1 : 0;
    const kind = this.#kinds.get(trial.input.kind) ?? { inputs: 0, understood: 0 };
    this.#understood += understood;
    this.#kinds.set(trial.input.kind, { inputs: kind.inputs + 1, understood: kind.understood + understood });
    for (const code of new Set(trial.outcome?.codes)) this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
  }

  get inputs(): number {
    return this.#inputs;
  }

  get understood(): number {
    return this.#understood;
  }

  get codes(): ReadonlyMap<string, number> {
    return this.#codes;
  }

  /** Lines for people. */
  report(): readonly string[] {
    const share = (100 * this.#understood) / Math.max(1, this.#inputs);
    const wanted = Object.keys(CATALOGUE).filter((code) => isCode(code) && /^TG[123]/.test(code));
    const unseen = wanted.filter((code) => !this.#codes.has(code));
    const slowest = this.#slowest;
    return [
      `${this.#inputs} inputs in ${(this.#milliseconds / 1000).toFixed(0)} s of reading; ${share.toFixed(1)} % have a meaning, the others errors`,
      ...[...this.#kinds]
        .sort()
        .map(([kind, { inputs, understood }]) => `  ${kind}: ${inputs}, ${understood} with a meaning`),
      `${wanted.length - unseen.length} of ${wanted.length} codes TG1 to TG3 were seen; never: ${unseen.join(" ") || "none"}`,
      `slowest: ${slowest?.milliseconds.toFixed(0)} ms, a ${slowest?.input.kind}`,
    ];
  }
}

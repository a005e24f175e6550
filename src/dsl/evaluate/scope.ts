import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Value } from "./value.js";

interface Binding {
  readonly value: Value;
  readonly declared: Span;
}

/** The names of one module. A Map, so that `constructor` and `__proto__` are names like any other. */
export class Scope {
  readonly #bindings = new Map<string, Binding>();
  readonly #announced = new Set<string>();

  /** Makes a name known before its value is. */
  announce(name: string): void {
    this.#announced.add(name);
  }

  isAnnounced(name: string): boolean {
    return this.#announced.has(name);
  }

  /** Gives a name its value; returns where the name was declared before, if it was. */
  declare(name: string, value: Value, declared: Span): Span | undefined {
    const before = this.#bindings.get(name);
    if (!before) this.#bindings.set(name, { value, declared });
    return before?.declared;
  }

  lookUp(name: string): Value | undefined {
    return this.#bindings.get(name)?.value;
  }

  suggest(name: string): string | undefined {
    return didYouMean(name, this.#bindings.keys());
  }
}

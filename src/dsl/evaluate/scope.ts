import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Value } from "./value.js";

interface Binding {
  readonly value: Value;
  readonly declared: Span;
}

/** The names of one module or of one call. A Map, so that `constructor` and `__proto__` are names like any other. */
export class Scope {
  readonly #bindings = new Map<string, Binding>();
  readonly #announced = new Set<string>();
  readonly #outer: Scope | null;

  constructor(outer: Scope | null) {
    this.#outer = outer;
  }

  /** Makes a name known before its value is: it hides an outer one from the scope's start (ECMA-262, 14.3.1). */
  announce(name: string): void {
    this.#announced.add(name);
  }

  /** Gives a name its value; returns where the name was declared before in this scope, if it was. */
  declare(name: string, value: Value, declared: Span): Span | undefined {
    const before = this.#bindings.get(name);
    if (!before) this.#bindings.set(name, { value, declared });
    return before?.declared;
  }

  /** A value; "announced": declared, but not yet; undefined: no such name. */
  lookUp(name: string): Value | "announced" | undefined {
    const binding = this.#bindings.get(name);
    if (binding) return binding.value;
    return this.#announced.has(name) ? "announced" : this.#outer?.lookUp(name);
  }

  suggest(name: string): string | undefined {
    return didYouMean(name, this.#names());
  }

  *#names(): Iterable<string> {
    yield* this.#bindings.keys();
    if (this.#outer) yield* this.#outer.#names();
  }
}

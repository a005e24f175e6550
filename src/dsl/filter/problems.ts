import type { Code, ParamsOf } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostics, Extras } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import type { Operand } from "./ast.js";

/**
 * Reports the mistakes in one expression and remembers whether its meaning is lost. A mistake whose meaning
 * is plain (host bits, a reversed range) is repaired, so that later stages can look for more.
 */
export class Problems {
  #broken = false;
  readonly #lost = new Set<Operand>();

  constructor(
    readonly source: SourceFile,
    readonly diagnostics: Diagnostics,
  ) {}

  get broken(): boolean {
    return this.#broken;
  }

  /** Notes that a part has no meaning, which was reported elsewhere. */
  lose(): void {
    this.#broken = true;
  }

  /** Stands for a value without a meaning, so that the expression around it can be read on. */
  lostOperand(span: Span): Operand {
    const operand: Operand = { kind: "string", value: "", span };
    this.#lost.add(operand);
    this.lose();
    return operand;
  }

  isLost(operand: Operand): boolean {
    return this.#lost.has(operand);
  }

  fatal<C extends Code>(code: C, span: Span, params: ParamsOf<C>, extras: Extras = {}): void {
    this.#broken = true;
    this.diagnostics.report(code, span, params, extras);
  }

  repaired<C extends Code>(code: C, span: Span, params: ParamsOf<C>, extras: Extras = {}): void {
    this.diagnostics.report(code, span, params, extras);
  }
}

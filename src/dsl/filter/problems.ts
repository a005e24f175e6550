import type { Code, ParamsOf } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostics, Extras } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import type { Operand, SetItem } from "./ast.js";

/**
 * Reports the mistakes in one expression and remembers whether its meaning is lost. A mistake whose meaning
 * is plain (host bits, a reversed range) is repaired, so that later stages can look for more.
 */
export class Problems {
  #broken = false;
  readonly #lost: Set<Operand>;
  /** What a draft will report if it is kept. */
  readonly #pending: (() => void)[] = [];
  readonly #isDraft: boolean;

  constructor(
    readonly source: SourceFile,
    readonly diagnostics: Diagnostics,
    whole?: Problems,
  ) {
    this.#lost = whole ? whole.#lost : new Set();
    this.#isDraft = whole !== undefined;
  }

  /** For reading the expression once, in an attempt that may be given up: nothing is reported before `keep`. */
  draft(): Problems {
    return new Problems(this.source, this.diagnostics, this);
  }

  keep(draft: Problems): void {
    for (const report of draft.#pending) report();
    this.#broken ||= draft.#broken;
  }

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

  isLost(item: SetItem): boolean {
    return item.kind !== "range" && this.#lost.has(item);
  }

  fatal<C extends Code>(code: C, span: Span, params: ParamsOf<C>, extras: Extras = {}): void {
    this.lose();
    this.repaired(code, span, params, extras);
  }

  repaired<C extends Code>(code: C, span: Span, params: ParamsOf<C>, extras: Extras = {}): void {
    const report = () => this.diagnostics.report(code, span, params, extras);
    if (this.#isDraft) this.#pending.push(report);
    else report();
  }
}

import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Code, ParamsOf } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostics, Extras } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import { invoke } from "./calls.js";
import { evaluateExpression } from "./expressions.js";
import type { CallSite } from "./functions.js";
import type { NodeSpans, Reading } from "./reading.js";
import { Scope } from "./scope.js";
import { type ErrorValue, errorValue, type FunctionValue, type Value } from "./value.js";

/**
 * The reading of one module, or of one function's body in it: its text and its names. It is total: every
 * expression has a value, and what has no meaning has an error value after one report.
 */
export class Evaluation {
  readonly #spans: NodeSpans;

  constructor(
    readonly reading: Reading,
    spans: NodeSpans,
    readonly scope: Scope = new Scope(null),
  ) {
    this.#spans = spans;
  }

  /** The same module, with further names. */
  inner(): Evaluation {
    return new Evaluation(this.reading, this.#spans, new Scope(this.scope));
  }

  get source(): SourceFile {
    return this.#spans.source;
  }

  get diagnostics(): Diagnostics {
    return this.reading.diagnostics;
  }

  evaluate(node: TSESTree.Expression): Value {
    if (!this.spend(1, this.spanOf(node))) return errorValue(this.spanOf(node));
    const value = this.reading.nested(() => evaluateExpression(node, this));
    return value ?? this.refuse("TG1002", node, {});
  }

  /** Calls whatever can be called. */
  call(callee: FunctionValue, args: readonly Value[], site: CallSite): Value {
    return invoke(callee, args, site, this);
  }

  /** Takes fuel for `amount` values; false, reported once, when none is left. */
  spend(amount: number, span: Span): boolean {
    return this.reading.spend(amount, span);
  }

  /** Reports a mistake at a node; the error value keeps others from reporting it again. */
  refuse<C extends Code>(code: C, node: TSESTree.Node, params: ParamsOf<C>, extras: Extras = {}): ErrorValue {
    const span = this.spanOf(node);
    this.diagnostics.report(code, span, params, extras);
    return errorValue(span);
  }

  spanOf(node: TSESTree.Node): Span {
    return this.#spans.of(node);
  }
}

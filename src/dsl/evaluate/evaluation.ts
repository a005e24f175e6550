import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Code, ParamsOf } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostics, Extras } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile, Span } from "../../compiler/diagnostics/span.js";
import { evaluateExpression } from "./expressions.js";
import { Scope } from "./scope.js";
import { type ErrorValue, errorValue, type Value } from "./value.js";

/** Levels of nested expressions; far beyond what a person writes, far below what the stack holds. */
const MAX_DEPTH = 256;
/** Values, items and characters that one module may make: enough for 100,000 rules or a million prefixes. */
const FUEL = 5_000_000;

/**
 * The reading of one module: its names, what is reported, and how much work is left. It is total: every
 * expression has a value, and what has no meaning has an error value after one report.
 */
export class Evaluation {
  readonly scope = new Scope();
  #depth = 0;
  #fuel = FUEL;

  constructor(
    readonly source: SourceFile,
    readonly diagnostics: Diagnostics,
  ) {}

  evaluate(node: TSESTree.Expression): Value {
    if (this.#depth === MAX_DEPTH) return this.refuse("TG1002", node, {});
    if (!this.spend(1, this.spanOf(node))) return errorValue(this.spanOf(node));
    this.#depth++;
    const value = evaluateExpression(node, this);
    this.#depth--;
    return value;
  }

  /** Takes fuel for `amount` values; false, reported once, when none is left. */
  spend(amount: number, span: Span): boolean {
    if (this.#fuel < 0) return false;
    this.#fuel -= amount;
    if (this.#fuel < 0) this.diagnostics.report("TG1003", span, {});
    return this.#fuel >= 0;
  }

  /** Reports a mistake at a node; the error value keeps others from reporting it again. */
  refuse<C extends Code>(code: C, node: TSESTree.Node, params: ParamsOf<C>, extras: Extras = {}): ErrorValue {
    const span = this.spanOf(node);
    this.diagnostics.report(code, span, params, extras);
    return errorValue(span);
  }

  spanOf(node: TSESTree.Node): Span {
    return this.source.span(...node.range);
  }
}

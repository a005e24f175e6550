import { CATALOGUE, type Code, type ParamsOf } from "./catalogue/index.js";
import type { Severity } from "./entry.js";
import type { Span } from "./span.js";

/** A further place that helps to understand a diagnostic, such as "first defined here". */
export interface Label {
  readonly span: Span;
  readonly text: string;
}

/** One mistake (or remark) about what a user wrote. Never used for our own bugs: see `invariant`. */
export interface Diagnostic {
  readonly code: Code;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly related: readonly Label[];
  readonly hint: string | null;
}

export interface Extras {
  readonly related?: readonly Label[];
  readonly hint?: string | undefined;
}

/** Makes a diagnostic from the catalogue: a wrong code or wrong parameters do not compile. */
export function diagnostic<C extends Code>(
  code: C,
  span: Span,
  params: ParamsOf<C>,
  extras: Extras = {},
): Diagnostic {
  const entry = CATALOGUE[code];
  const format = entry.message as (params: ParamsOf<C>) => string;
  return {
    code,
    severity: entry.severity,
    message: format(params),
    span,
    related: extras.related ?? [],
    hint: extras.hint ?? entry.hint,
  };
}

/** Collects what the stages report; stages report and go on, the pipeline stops between stages. */
export class Diagnostics {
  readonly #reported: Diagnostic[] = [];

  report<C extends Code>(code: C, span: Span, params: ParamsOf<C>, extras: Extras = {}): void {
    this.#reported.push(diagnostic(code, span, params, extras));
  }

  /** In source order, each once. */
  get all(): readonly Diagnostic[] {
    const seen = new Map(
      this.#reported.map((d) => [`${d.code} ${d.span.file}:${d.span.start}:${d.message}`, d]),
    );
    return [...seen.values()].sort(
      (a, b) =>
        compareText(a.span.file, b.span.file) || a.span.start - b.span.start || compareText(a.code, b.code),
    );
  }

  get hasErrors(): boolean {
    return this.#reported.some((d) => d.severity === "error");
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

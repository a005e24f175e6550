import { CATALOGUE, type Code, type ParamsOf } from "./catalogue/index.js";
import { compare } from "./compare.js";
import type { Severity } from "./entry.js";
import type { Span } from "./span.js";
import { type Suppressed, type Suppression, sortOut } from "./suppressions.js";

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

/** Names and values come from files that anybody may have written; what is longer says no more. */
const LONGEST_TEXT = 400;

/** Makes a diagnostic from the catalogue: a wrong code or wrong parameters do not compile. */
export function diagnostic<C extends Code>(
  code: C,
  span: Span,
  params: ParamsOf<C>,
  extras: Extras = {},
): Diagnostic {
  const entry = CATALOGUE[code];
  const format = entry.message as (params: Readonly<Record<string, string>>) => string;
  const bounded = Object.entries<string | number>(params).map(([name, value]) => [
    name,
    short(String(value)),
  ]);
  return {
    code,
    severity: entry.severity,
    message: format(Object.fromEntries(bounded)),
    span,
    related: (extras.related ?? []).map((label) => ({ ...label, text: short(label.text) })),
    hint: extras.hint === undefined ? entry.hint : short(extras.hint),
  };
}

/** The beginning and the end of a text that is too long. */
function short(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  const half = LONGEST_TEXT / 2;
  // No half of a surrogate pair is left at the cut.
  const start = text.slice(0, half).replace(/[\ud800-\udbff]$/, "");
  const end = text.slice(-half).replace(/^[\udc00-\udfff]/, "");
  return `${start}…${end}`;
}

/** More of one severity than anyone reads; what is reported beyond is not kept. */
export const MAX_KEPT = 1000;
/** A function may be called a million times, and be wrong each time. */
const MAX_AT_PLACE = 100;
/** Of nested calls, the innermost say where a value came from; the others repeat them. */
const MAX_CONTEXT = 3;

/** Collects what the stages report; stages report and go on, the pipeline stops between stages. */
export class Diagnostics {
  readonly #reported = new Map<string, Diagnostic>();
  readonly #timesAtPlace = new Map<string, number>();
  readonly #kept = { error: 0, warning: 0, note: 0 };
  readonly #context: Label[] = [];
  readonly #suppressions: Suppression[] = [];

  report<C extends Code>(code: C, span: Span, params: ParamsOf<C>, extras: Extras = {}): void {
    const place = `${code} ${span.file}:${span.start}`;
    const times = this.#timesAtPlace.get(place) ?? 0;
    if (times === MAX_AT_PLACE) return;
    this.#timesAtPlace.set(place, times + 1);
    const made = diagnostic(code, span, params, extras);
    const key = `${place}:${made.message}`;
    if (this.#reported.has(key) || this.#kept[made.severity] >= MAX_KEPT) return;
    this.#kept[made.severity]++;
    const context = this.#context.slice(-MAX_CONTEXT).reverse();
    this.#reported.set(key, { ...made, related: [...made.related, ...context] });
  }

  /** What is reported meanwhile gets one more label: the place that led there, such as a call. */
  within<T>(label: Label, run: () => T): T {
    this.#context.push(label);
    try {
      return run();
    } finally {
      this.#context.pop();
    }
  }

  /** A comment of the policy asks not to report something. */
  suppress(suppression: Suppression): void {
    this.#suppressions.push(suppression);
  }

  /**
   * In source order, each once, without what is suppressed. Errors end the analysis early, before everything that
   * may be suppressed was looked for; so only without errors it is known which suppressions have no use.
   */
  get all(): readonly Diagnostic[] {
    const { left, unused } = sortOut([...this.#reported.values()], this.#suppressions);
    const idle = this.hasErrors ? [] : unused;
    const remarks = idle
      .slice(0, MAX_KEPT)
      .map(({ code, span, line }) => diagnostic("TG3092", span, { code, line }));
    return [...left, ...remarks].sort(inSourceOrder);
  }

  /** What comments have suppressed, in source order. */
  get suppressed(): readonly Suppressed[] {
    const { suppressed } = sortOut([...this.#reported.values()], this.#suppressions);
    return [...suppressed].sort((a, b) => inSourceOrder(a.diagnostic, b.diagnostic));
  }

  get hasErrors(): boolean {
    return this.#kept.error > 0;
  }

  /** How many errors are kept. */
  get errors(): number {
    return this.#kept.error;
  }

  /** Further errors would not be kept: there is no use in looking for them. */
  get isFull(): boolean {
    return this.#kept.error >= MAX_KEPT;
  }
}

function inSourceOrder(a: Diagnostic, b: Diagnostic): number {
  return compare(a.span.file, b.span.file) || a.span.start - b.span.start || compare(a.code, b.code);
}

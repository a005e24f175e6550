import type { Code } from "./catalogue/index.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Span } from "./span.js";

/** `// tidegate-ignore TG3004: reason`: one code of one comment. */
export interface Suppression {
  readonly code: Code;
  /** Where the comment names the code. */
  readonly span: Span;
  /** The first and the last line, of the same file, whose diagnostics are meant. */
  readonly line: number;
  readonly lastLine: number;
  readonly reason: string;
  /** It stands in an imported module: whether it is of use, only all the policies together know that import it. */
  readonly shared: boolean;
}

/** A diagnostic that its author has seen and answered. */
export interface Suppressed {
  readonly diagnostic: Diagnostic;
  readonly reason: string;
}

export interface Sorted {
  readonly left: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
  /** Of the policy's own file. */
  readonly unused: readonly Suppression[];
}

/** Parts what comments suppress from the rest. Errors are never suppressed: nothing can be made of their policy. */
export function sortOut(diagnostics: readonly Diagnostic[], suppressions: readonly Suppression[]): Sorted {
  const answers = answersTo(diagnostics, suppressions);
  const left: Diagnostic[] = [];
  const suppressed: Suppressed[] = [];
  const used = new Set<Suppression>();
  for (const diagnostic of diagnostics) {
    const by = diagnostic.severity === "error" ? undefined : answers.get(diagnostic);
    if (!by) left.push(diagnostic);
    else {
      used.add(by);
      suppressed.push({ diagnostic, reason: by.reason });
    }
  }
  return { left, suppressed, unused: suppressions.filter((one) => !one.shared && !used.has(one)) };
}

/** For each diagnostic the suppression that means it; of several, the one that begins last and so says most. */
function answersTo(
  diagnostics: readonly Diagnostic[],
  suppressions: readonly Suppression[],
): ReadonlyMap<Diagnostic, Suppression> {
  const found = new Map<Diagnostic, Suppression>();
  const waiting = [...suppressions].sort((a, b) => b.line - a.line);
  const begun = new Map<string, Suppression[]>();
  // Down the lines of all files at once, so that many suppressions cost no more than a few.
  for (const diagnostic of [...diagnostics].sort((a, b) => a.span.line - b.span.line)) {
    const { line } = diagnostic.span;
    for (let next = waiting.at(-1); next && next.line <= line; next = waiting.at(-1)) {
      const open = begun.get(keyOf(next));
      if (open) open.push(next);
      else begun.set(keyOf(next), [next]);
      waiting.pop();
    }
    const open = begun.get(keyOf(diagnostic)) ?? [];
    while ((open.at(-1)?.lastLine ?? line) < line) open.pop();
    const last = open.at(-1);
    if (last) found.set(diagnostic, last);
  }
  return found;
}

function keyOf({ code, span }: Pick<Suppression, "code" | "span">): string {
  return `${code} ${span.file}`;
}

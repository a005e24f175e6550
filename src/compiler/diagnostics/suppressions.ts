import type { Code } from "./catalogue/index.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Span } from "./span.js";

/** `// tidegate-ignore TG3004: reason`: one code of one comment. */
export interface Suppression {
  readonly code: Code;
  /** Where the comment names the code. */
  readonly span: Span;
  /** The line, of the same file, whose diagnostics are meant. */
  readonly line: number;
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
  const byPlace = new Map(suppressions.map((one) => [placeOf(one.code, one.span.file, one.line), one]));
  const left: Diagnostic[] = [];
  const suppressed: Suppressed[] = [];
  const used = new Set<Suppression>();
  for (const diagnostic of diagnostics) {
    const { code, severity, span } = diagnostic;
    const by = severity === "error" ? undefined : byPlace.get(placeOf(code, span.file, span.line));
    if (!by) left.push(diagnostic);
    else {
      used.add(by);
      suppressed.push({ diagnostic, reason: by.reason });
    }
  }
  return { left, suppressed, unused: suppressions.filter((one) => !one.shared && !used.has(one)) };
}

function placeOf(code: Code, file: string, line: number): string {
  return `${code} ${line} ${file}`;
}

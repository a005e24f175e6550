import { expect } from "vitest";
import { analyze } from "../../src/compiler/compile.js";
import type { Code } from "../../src/compiler/diagnostics/catalogue/index.js";
import type { Diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";

/** What a diagnostic must say; the message and the hint only where they matter. */
export interface Expected {
  readonly code: Code;
  readonly underlined: string;
  readonly message?: string;
  readonly hint?: string | null;
}

/** Analyses a whole policy file: exactly these diagnostics, in the order of the text. */
export function expectDiagnostics(text: string, expected: readonly Expected[]): void {
  const { diagnostics } = analyze("acme.policy.ts", text);
  const found = diagnostics.map(({ code, message, hint, span }, index) => {
    const { message: wantsMessage, hint: wantsHint } = expected[index] ?? {};
    return {
      code,
      underlined: text.slice(span.start, span.end),
      ...(wantsMessage !== undefined && { message }),
      ...(wantsHint !== undefined && { hint }),
    };
  });
  expect(found).toEqual(expected);
}

/**
 * Whether a message and its underlined text speak of the same: of what the message quotes (in backticks or quotes) and
 * the file has, something is underlined, or the message has all that is underlined. True if it quotes nothing.
 */
export function quotesWhatItUnderlines({ message, span }: Diagnostic, text: string): boolean {
  const underlined = text.slice(span.start, span.end);
  const quotes = [...message.matchAll(/`([^`]+)`|"([^"]+)"/g)].map(
    ([, ticked, quoted]) => ticked ?? quoted ?? "",
  );
  const written = quotes.filter((quote) => text.includes(quote));
  // An interpolation is not written as the value that it stands for.
  if (underlined.startsWith("${")) return true;
  const bare = underlined.replace(/^(["'`])(.*)\1$/s, "$2");
  return (
    written.length === 0 ||
    written.some((quote) => underlined.includes(quote)) ||
    (bare !== "" && message.includes(bare))
  );
}

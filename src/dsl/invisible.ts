import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";

/**
 * The embeddings, overrides and isolates of UAX #9. They show a text in another order than the one it is read in, so
 * that a rule can look like a comment and a comment like a rule ("Trojan Source", CVE-2021-42574).
 */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Characters without a shape (UAX #44): two names or texts that look the same could differ by them. In comments people
 * need some of them, for emoji and for scripts whose letters join.
 */
const SHAPELESS = /(?![\u202a-\u202e\u2066-\u2069])\p{Default_Ignorable_Code_Point}/gu;

/** Where a comment stands. */
interface Comment {
  readonly range: readonly [start: number, end: number];
}

/** TG1006 of every character that changes the order of its line, and outside of comments also of those without a shape. */
export function reportInvisible(
  source: SourceFile,
  comments: readonly Comment[],
  diagnostics: Diagnostics,
): void {
  const { text } = source;
  const report = (at: number, character: string, does: string) => {
    const span = source.span(at, at + character.length);
    diagnostics.report("TG1006", span, { character: nameOf(character), does });
  };
  for (const { index, 0: character } of text.matchAll(DIRECTIONS)) {
    report(index, character, "changes the order in which its line is shown");
  }
  // A byte order mark belongs to the encoding.
  const found = [...text.matchAll(SHAPELESS)].filter(
    ({ index, 0: character }) => index > 0 || character !== "\ufeff",
  );
  if (found.length === 0) return;
  const inComment = commentsAt(comments);
  for (const { index, 0: character } of found) {
    if (!inComment(index)) report(index, character, "cannot be seen");
  }
}

function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Whether an offset is in a comment; asked in the order of the text. */
function commentsAt(comments: readonly Comment[]): (offset: number) => boolean {
  let next = 0;
  return (offset) => {
    while ((comments[next]?.range[1] ?? Number.POSITIVE_INFINITY) <= offset) next++;
    return (comments[next]?.range[0] ?? Number.POSITIVE_INFINITY) <= offset;
  };
}

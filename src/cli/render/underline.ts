/** A line as a terminal may show it, and what stands under it to mark a part. */
export interface Underlined {
  readonly line: string;
  readonly before: string;
  readonly carets: string;
}

/** Marks `start` to `end` (offsets in `text`, which has no line breaks) with at least one caret. */
export function underline(text: string, start: number, end: number): Underlined {
  const line = printable(text);
  const before = [...line.slice(0, start)].map((character) =>
    character === "\t" ? "\t" : " ".repeat(cells(character)),
  );
  const width = [...line.slice(start, end)].reduce((sum, character) => sum + cells(character), 0);
  return { line, before: before.join(""), carets: "^".repeat(Math.max(1, width)) };
}

/** C0 and C1 but the tab, and the controls of Unicode's bidirectional algorithm (UAX #9). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** What was written, without what it would do to a terminal: a policy may come from anybody. */
export function printable(text: string): string {
  return text.replace(CONTROLS, "\ufffd");
}

const NO_CELL = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** Roughly the wide characters of UAX #11. */
const TWO_CELLS =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

function cells(character: string): number {
  if (NO_CELL.test(character)) return 0;
  return TWO_CELLS.test(character) ? 2 : 1;
}

/** A line as a terminal may show it, and what stands under it to mark a part. */
export interface Underlined {
  readonly line: string;
  readonly before: string;
  readonly carets: string;
}

/** A longer line is cut around what is marked, so that it stays readable. */
const LONGEST_LINE = 160;
/** Of what stands before the mark, so much is kept. */
const KEPT_BEFORE = 60;

/** Marks `start` to `end` (offsets in `text`, which has no line breaks) with at least one caret. */
export function underline(text: string, start: number, end: number): Underlined {
  const part = cut(printable(text), start, end);
  const before = fill(part.line.slice(0, part.start), " ");
  const carets = fill(part.line.slice(part.start, part.end), "^");
  return { line: part.line, before, carets: carets.trim() === "" ? "^" : carets };
}

interface Part {
  readonly line: string;
  readonly start: number;
  readonly end: number;
}

function cut(line: string, start: number, end: number): Part {
  if (line.length <= LONGEST_LINE) return { line, start, end };
  const from = whole(line, Math.max(0, Math.min(start - KEPT_BEFORE, line.length - LONGEST_LINE)));
  const to = whole(line, Math.min(line.length, from + LONGEST_LINE));
  const left = from === 0 ? "" : "…";
  const right = to === line.length ? "" : "…";
  const shift = left.length - from;
  return {
    line: `${left}${line.slice(from, to)}${right}`,
    start: start + shift,
    end: Math.min(end, to) + shift,
  };
}

/** An offset that does not lie inside of a surrogate pair. */
function whole(line: string, offset: number): number {
  return /[\udc00-\udfff]/.test(line.charAt(offset)) ? offset - 1 : offset;
}

/** As wide as the text is on a terminal. A tab stays one: only the terminal knows its width. */
function fill(text: string, mark: " " | "^"): string {
  return [...text].map((character) => (character === "\t" ? "\t" : mark.repeat(cells(character)))).join("");
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

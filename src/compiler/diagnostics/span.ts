/**
 * A half-open range of UTF-16 code units in one source file, with the place a person would name.
 * Lines and columns count from 1; `endColumn` is the column behind the last character.
 * Spans exist for diagnostics only: no meaning may depend on one.
 */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Everything that a diagnostic can point at. */
export interface Spanned {
  readonly span: Span;
}

/** One source text that can turn offsets into spans. */
export class SourceFile {
  readonly #lineStarts: Uint32Array;

  constructor(
    readonly file: string,
    readonly text: string,
  ) {
    this.#lineStarts = lineStartsOf(text);
  }

  span(start: number, end: number): Span {
    const from = this.#place(start);
    const to = this.#place(end);
    return {
      file: this.file,
      start,
      end,
      line: from.line,
      column: from.column,
      endLine: to.line,
      endColumn: to.column,
    };
  }

  /** The text of one line (from 1), without its line break. */
  line(number: number): string {
    const start = this.#lineStarts[number - 1] ?? this.text.length;
    const end = this.#lineStarts[number] ?? this.text.length;
    return this.text.slice(start, end).replace(/[\r\n]+$/, "");
  }

  #place(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.max(1, offset - (this.#lineStarts[low] ?? 0) + 1) };
  }
}

/** Where each line begins. Counted before they are kept: a file of nothing but line breaks must not fill the memory. */
function lineStartsOf(text: string): Uint32Array {
  // A byte order mark belongs to the encoding and to no line (Unicode 16, section 23.8).
  const first = text.startsWith("\ufeff") ? 1 : 0;
  let count = 1;
  for (let at = 0; at < text.length; at++) if (endsLine(text, at)) count++;
  const starts = new Uint32Array(count);
  starts[0] = first;
  for (let at = 0, line = 1; at < text.length; at++) if (endsLine(text, at)) starts[line++] = at + 1;
  return starts;
}

/** LF, or a CR without one behind it. */
function endsLine(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x0a || (code === 0x0d && text.charCodeAt(at + 1) !== 0x0a);
}

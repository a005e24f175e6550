import type { TokenType } from "chevrotain";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";
import { flatText, type Word, type Words } from "./words.js";

/** Lines that are being written. */
class Writer {
  readonly #lines: string[] = [];
  #line: string | undefined;
  /** Indentation of the line that is next, where it was said. */
  #indent: number | undefined;
  /** A comment ended the line. */
  #ended = false;

  /** Ends the line, if there is one. */
  newline(indent?: number): void {
    if (this.#line !== undefined) this.#lines.push(this.#line);
    this.#line = undefined;
    this.#indent = indent;
    this.#ended = false;
  }

  /** The column that the next text would start in; `indent` is that of a line that goes on behind a comment. */
  column(indent: number): number {
    return this.#line === undefined || this.#ended ? (this.#indent ?? indent) : this.#line.length;
  }

  comment(text: string, indent: number): void {
    const at = this.#line === undefined ? (this.#indent ?? indent) : indent;
    this.newline(at);
    this.#lines.push(" ".repeat(at) + text);
  }

  word(word: Word, indent: number): void {
    for (const comment of word.before) this.comment(comment, indent);
    if (this.#ended) this.newline();
    const glue = this.#line === undefined ? " ".repeat(this.#indent ?? indent) : word.spaced ? " " : "";
    this.#line = (this.#line ?? "") + glue + word.text;
    this.#indent = undefined;
    if (word.after === "") return;
    this.#line += ` ${word.after}`;
    this.#ended = true;
  }

  words(words: readonly Word[], indent: number): void {
    for (const word of words) this.word(word, indent);
  }

  get lines(): readonly string[] {
    this.newline();
    return this.#lines;
  }
}

const STEP = 2;
/** The loosest first: there a chain that is too long is broken. */
const JOINERS = [Token.Or, Token.Xor, Token.And];

/** An expression on several lines, none longer than `width` if it can be helped. */
export function layOut({ words, trailing }: Words, indent: number, width: number): readonly string[] {
  const writer = new Writer();
  writer.newline(indent);
  layOutChain(words, indent);
  writer.newline(indent);
  for (const comment of trailing) writer.comment(comment, indent);
  return writer.lines;

  /** Begins where the writer is; further lines begin in column `at`. */
  function layOutChain(chain: readonly Word[], at: number): void {
    const joiner = joinerOf(chain);
    if (fits(chain, at)) writer.words(chain, at);
    else if (!joiner) layOutOperand(chain, at);
    else for (const piece of split(chain, joiner)) layOutPiece(piece, at);
  }

  /** An operand of a chain, behind the operator that joins it to the one before. */
  function layOutPiece(piece: readonly Word[], at: number): void {
    const joined = isToken(piece[0]?.token, ...JOINERS);
    if (joined) {
      writer.newline(at);
      writer.words(piece.slice(0, 1), at + STEP);
    }
    const operand = joined ? piece.slice(1) : piece;
    layOutChain(operand, joinerOf(operand) ? at + STEP : at);
  }

  function layOutOperand(operand: readonly Word[], at: number): void {
    const [first] = operand;
    const opening = operand.findIndex(({ token }) => isToken(token, Token.BraceOpen));
    if (isToken(first?.token, Token.Not)) {
      writer.words(operand.slice(0, 1), at + STEP);
      layOutChain(operand.slice(1), at);
    } else if (isToken(first?.token, Token.ParenOpen)) layOutGroup(operand, at);
    else if (opening >= 0) layOutSet(operand, opening, at);
    else writer.words(operand, at + STEP);
  }

  function layOutGroup(group: readonly Word[], at: number): void {
    writer.words(group.slice(0, 1), at);
    writer.newline(at + STEP);
    layOutChain(group.slice(1, -1), at + STEP);
    writer.newline(at);
    writer.words(group.slice(-1), at);
  }

  /** As many items on a line as there is room for. */
  function layOutSet(condition: readonly Word[], opening: number, at: number): void {
    writer.words(condition.slice(0, opening + 1), at + STEP);
    writer.newline(at + STEP);
    for (const item of itemsOf(condition.slice(opening + 1, -1))) {
      if (!fits(item, at + STEP)) writer.newline(at + STEP);
      writer.words(item, at + STEP);
    }
    writer.newline(at);
    writer.words(condition.slice(-1), at);
  }

  function fits(some: readonly Word[], at: number): boolean {
    const text = flatText(some);
    return text !== undefined && writer.column(at) + " ".length + text.length <= width;
  }
}

/** The operator that holds the parts of a chain together most loosely; undefined for a single operand. */
function joinerOf(chain: readonly Word[]): TokenType | undefined {
  const outside = topLevel(chain);
  return JOINERS.find((type) => outside.some((index) => isToken(chain[index]?.token, type)));
}

/** The indexes of words that are in no brackets. */
function topLevel(words: readonly Word[]): readonly number[] {
  const found: number[] = [];
  let depth = 0;
  for (const [index, { token }] of words.entries()) {
    if (isToken(token, Token.ParenClose, Token.BraceClose)) depth--;
    if (depth === 0) found.push(index);
    if (isToken(token, Token.ParenOpen, Token.BraceOpen)) depth++;
  }
  return found;
}

/** The operands of a chain, each but the first with its operator in front. */
function split(chain: readonly Word[], joiner: TokenType): readonly (readonly Word[])[] {
  const starts = topLevel(chain).filter((index) => isToken(chain[index]?.token, joiner));
  return [0, ...starts].map((start, index) => chain.slice(start, starts[index]));
}

/** The members of a set, a range as one. */
function itemsOf(words: readonly Word[]): readonly (readonly Word[])[] {
  const items: Word[][] = [];
  for (const word of words) {
    const last = items.at(-1);
    if (last && (isToken(word.token, Token.Range) || isToken(last.at(-1)?.token, Token.Range)))
      last.push(word);
    else items.push([word]);
  }
  return items;
}

/** Builds indented text line by line; emitters never count spaces themselves. */
export class Text {
  readonly #lines: string[] = [];
  #depth = 0;

  line(text = ""): this {
    this.#lines.push(text === "" ? "" : "\t".repeat(this.#depth) + text);
    return this;
  }

  lines(texts: Iterable<string>): this {
    for (const text of texts) this.line(text);
    return this;
  }

  /** `open`, the body one level deeper, `close`. */
  block(open: string, body: () => void, close = "}"): this {
    this.line(open);
    this.#depth++;
    body();
    this.#depth--;
    return this.line(close);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

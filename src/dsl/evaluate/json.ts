import type { SourceFile } from "../../compiler/diagnostics/span.js";
import { isUsableName } from "./property-names.js";
import type { Reading } from "./reading.js";
import type { PropertyValue, Value } from "./value.js";

/** The value of a JSON text (RFC 8259), every part with its place; undefined after a report. */
export function readJson(source: SourceFile, reading: Reading): Value | undefined {
  return new JsonReader(source, reading).read();
}

/** Values that one unit of work reads: they are only data, and lists of a million prefixes are made of them. */
const VALUES_FOR_ONE = 3;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;

/** Stops at the first mistake: behind one, nothing in JSON is certain. */
class JsonReader {
  readonly #source: SourceFile;
  readonly #reading: Reading;
  #at = 0;
  #values = 0;

  constructor(source: SourceFile, reading: Reading) {
    this.#source = source;
    this.#reading = reading;
  }

  read(): Value | undefined {
    // RFC 8259, section 8.1: a reader may ignore a byte order mark.
    if (this.#source.text.startsWith("\ufeff")) this.#at = 1;
    const value = this.#value();
    if (!value) return undefined;
    this.#skipSpace();
    if (this.#at < this.#source.text.length) return this.#expected("the end of the file");
    return value;
  }

  #value(): Value | undefined {
    this.#skipSpace();
    const { text } = this.#source;
    const start = this.#at;
    if (!this.#pay(start)) return undefined;
    switch (text[start]) {
      case "[":
      case "{": {
        const read = () => (text[start] === "[" ? this.#array(start) : this.#object(start));
        const value = this.#reading.nested(() => ({ read: read() }));
        if (!value) this.#reading.diagnostics.report("TG1002", this.#source.span(start, start + 1), {});
        return value?.read;
      }
      case '"':
        return this.#string();
      default:
        return this.#number() ?? this.#word();
    }
  }

  #pay(start: number): boolean {
    const isDue = this.#values++ % VALUES_FOR_ONE === 0;
    return !isDue || this.#reading.spend(1, this.#source.span(start, start + 1));
  }

  #array(start: number): Value | undefined {
    const items: Value[] = [];
    this.#at++;
    if (this.#take("]")) return { kind: "array", items, span: this.#source.span(start, this.#at) };
    for (;;) {
      const item = this.#value();
      if (!item) return undefined;
      items.push(item);
      if (this.#take("]")) return { kind: "array", items, span: this.#source.span(start, this.#at) };
      if (!this.#take(",")) return this.#expected("`,` or `]`");
      if (this.#isNext("]")) return this.#expected("a value", "leave out the comma before `]`");
    }
  }

  #object(start: number): Value | undefined {
    const properties = new Map<string, PropertyValue>();
    this.#at++;
    if (this.#take("}")) return { kind: "object", properties, span: this.#source.span(start, this.#at) };
    for (;;) {
      if (!this.#property(properties)) return undefined;
      if (this.#take("}")) return { kind: "object", properties, span: this.#source.span(start, this.#at) };
      if (!this.#take(",")) return this.#expected("`,` or `}`");
      if (this.#isNext("}")) return this.#expected("a property", "leave out the comma before `}`");
    }
  }

  /** false after a report that ends the reading. */
  #property(properties: Map<string, PropertyValue>): boolean {
    const name = this.#isNext('"') ? this.#string() : this.#expected("a name in double quotes");
    if (name?.kind !== "string") return false;
    const value = this.#take(":") ? this.#value() : this.#expected("`:`");
    if (!value) return false;
    const { diagnostics } = this.#reading;
    const before = properties.get(name.value);
    if (before) {
      const related = [{ span: before.key, text: "first written here" }];
      diagnostics.report("TG1044", name.span, { name: name.value }, { related });
    } else if (!isUsableName(name.value)) diagnostics.report("TG1045", name.span, { name: name.value });
    else properties.set(name.value, { key: name.span, value });
    return true;
  }

  #string(): Value | undefined {
    const { text } = this.#source;
    const start = this.#at;
    let end = start + 1;
    for (; text[end] !== '"'; end += text[end] === "\\" ? 2 : 1) {
      if (end >= text.length || text.charCodeAt(end) < 0x20) {
        this.#at = Math.min(end, text.length);
        return this.#expected('`"`');
      }
    }
    const inside = text.slice(start + 1, end);
    const value = inside.includes("\\") ? unescaped(inside) : inside;
    if (value === undefined)
      return this.#expected("text with the escapes of JSON", "write `\\\\` for a backslash");
    this.#at = end + 1;
    const span = this.#source.span(start, this.#at);
    return { kind: "string", value, verbatim: value === inside, span };
  }

  #number(): Value | undefined {
    const written = this.#match(NUMBER);
    if (!written) return undefined;
    const span = this.#source.span(this.#at, this.#at + written.length);
    this.#at += written.length;
    return { kind: "number", value: Number(written), span };
  }

  #word(): Value | undefined {
    const word = this.#match(WORD);
    const span = this.#source.span(this.#at, this.#at + word.length);
    switch (word) {
      case "true":
      case "false":
        this.#at += word.length;
        return { kind: "boolean", value: word === "true", span };
      case "null":
        this.#at += word.length;
        return { kind: "null", span };
      default:
        return this.#expected("a value", this.#hintForValue());
    }
  }

  #hintForValue(): string | undefined {
    const { text } = this.#source;
    if (text.startsWith("//", this.#at) || text.startsWith("/*", this.#at)) return "JSON has no comments";
    if (text[this.#at] === "'") return "JSON has only double quotes";
    return undefined;
  }

  /** What matches here; "" if nothing does. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source.text)?.[0] ?? "";
  }

  #skipSpace(): void {
    this.#at += this.#match(SPACE).length;
  }

  #isNext(sign: string): boolean {
    this.#skipSpace();
    return this.#source.text[this.#at] === sign;
  }

  #take(sign: string): boolean {
    if (!this.#isNext(sign)) return false;
    this.#at++;
    return true;
  }

  #expected(expected: string, hint?: string): undefined {
    const { text } = this.#source;
    // At the end of the file there is nothing to underline but its last character.
    const at = Math.max(0, Math.min(this.#at, text.length - 1));
    const span = this.#source.span(at, Math.min(at + 1, text.length));
    this.#reading.diagnostics.report("TG1004", span, { expected }, { hint });
  }
}

/** The text that JSON's escapes stand for; undefined if one of them is none. */
function unescaped(inside: string): string | undefined {
  try {
    return String(JSON.parse(`"${inside}"`));
  } catch {
    return undefined;
  }
}

import { clip } from "../../compiler/diagnostics/clip.js";
import type { Diagnostics, Label } from "../../compiler/diagnostics/diagnostic.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import { ADDRESS_BITS, formatPrefix, parseAddress, parsePrefix } from "../../compiler/ir/address.js";
import type { Operand } from "./ast.js";
import type { Problems } from "./problems.js";

/** Decimal, `0x` hexadecimal, or octal after a leading 0, as in C. */
const NUMBER = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/** Reads a word of an expression that looks like a number or an address; undefined after a report. */
export function readLiteral(text: string, span: Span, problems: Problems): Operand | undefined {
  if (NUMBER.test(text)) return { kind: "number", value: numberOf(text), span };
  const operand = readAddress(text, { span, at: span, related: [] }, problems.diagnostics);
  if (operand !== "notAnAddress") return operand;
  problems.fatal("TG1110", span, { text: clip(text) }, { hint: literalHint(text) });
  return undefined;
}

/** Where a text was written, and the place in the expression that it comes to. */
interface Origin {
  /** The operand's span. */
  readonly span: Span;
  /** Where to report what is wrong with the text itself. */
  readonly at: Span;
  readonly related: readonly Label[];
}

/** Reads an interpolated text: an address, a prefix, or else a string; undefined after a report. */
export function readText(text: string, origin: Origin, diagnostics: Diagnostics): Operand | undefined {
  const operand = readAddress(text, origin, diagnostics);
  return operand === "notAnAddress" ? { kind: "string", value: text, span: origin.span } : operand;
}

function readAddress(
  text: string,
  { span, at, related }: Origin,
  diagnostics: Diagnostics,
): Operand | "notAnAddress" | undefined {
  const address = parseAddress(text);
  if (address) return { kind: "address", address, span };
  const slash = text.indexOf("/");
  const head = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  if (!head) return "notAnAddress";
  const parsed = parsePrefix(text);
  switch (parsed.kind) {
    case "prefix":
      return { kind: "prefix", prefix: parsed.prefix, span };
    case "hostBits": {
      const hint = `write \`${formatPrefix(parsed.meant)}\``;
      diagnostics.report("TG1111", at, { text: clip(text) }, { hint, related });
      return { kind: "prefix", prefix: parsed.meant, span };
    }
    case "bad":
      diagnostics.report("TG1112", at, { text: clip(text), longest: ADDRESS_BITS[head.family] }, { related });
      return undefined;
  }
}

function numberOf(text: string): bigint {
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text);
}

/** What is meant by words that are no literals, the more telling ones first. */
const HINTS: readonly (readonly [pattern: RegExp, hint: (match: readonly string[]) => string])[] = [
  [/^-/, () => "numbers here are never negative"],
  [/^([^-]*[^-.])-([^-]+)$/, ([, low, high]) => `a range is written \`${low}..${high}\``],
  [/^(\d+):(\d+)$/, ([, low, high]) => `a range is written \`${low}..${high}\``],
  [/^0\d+$/, ([text = ""]) => `a leading 0 makes a number octal; write \`${text.replace(/^0+/, "")}\``],
  [/%/, () => "write the address without a zone"],
  [/^\d[\d_]*$/, ([text = ""]) => `write \`${text.replaceAll("_", "")}\``],
  [/^0[bo]/i, () => "write it as a decimal or hexadecimal number: 18 or 0x12"],
  [/^\d+(?:\.\d+)?e\d+$/i, ([text]) => writtenOut(Number(text))],
  [/^\d+\.\d+$/, () => "numbers here are whole, and an IPv4 address has four parts: `192.0.2.1`"],
  [/^(?:\d+\.){3}\d+$/, ([text = ""]) => addressHint(text)],
  [/^\d+(?:\.\d+){0,2}\.?(?:\/\d+)?$/, () => "an IPv4 address has four parts: `192.0.2.1`"],
];

function literalHint(text: string): string | undefined {
  if (text.length > 100) return undefined;
  for (const [pattern, hint] of HINTS) {
    const match = pattern.exec(text);
    if (match) return hint(match);
  }
  return undefined;
}

function writtenOut(value: number): string {
  return Number.isSafeInteger(value) ? `write \`${value}\`` : "write the number out";
}

function addressHint(text: string): string {
  return /(?:^|\.)0\d/.test(text)
    ? "the parts of an address have no leading zero"
    : "the parts of an IPv4 address go from 0 to 255";
}

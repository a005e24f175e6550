import type { Diagnostics, Label } from "../../compiler/diagnostics/diagnostic.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import { ADDRESS_BITS, formatPrefix, parseAddress, parsePrefix } from "../../compiler/ir/address.js";
import type { Operand } from "./ast.js";

/** Decimal, `0x` hexadecimal, or octal after a leading 0, as in C. */
const NUMBER = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/** Reads a word of an expression that looks like a number or an address; undefined after a report. */
export function readLiteral(text: string, span: Span, diagnostics: Diagnostics): Operand | undefined {
  if (NUMBER.test(text)) return { kind: "number", value: numberOf(text), span };
  const operand = readAddress(text, { span, at: span, related: [] }, diagnostics);
  if (operand !== "notAnAddress") return operand;
  diagnostics.report("TG1110", span, { text }, { hint: literalHint(text) });
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
      diagnostics.report("TG1111", at, { text }, { hint, related });
      return { kind: "prefix", prefix: parsed.meant, span };
    }
    case "bad":
      diagnostics.report("TG1112", at, { text, longest: ADDRESS_BITS[head.family] }, { related });
      return undefined;
  }
}

function numberOf(text: string): bigint {
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text);
}

function literalHint(text: string): string | undefined {
  if (/^0\d+$/.test(text)) return `a leading 0 makes a number octal; write \`${text.replace(/^0+/, "")}\``;
  if (text.includes("%")) return "write the address without a zone";
  if (/^[\d_]+$/.test(text)) return `write \`${text.replaceAll("_", "")}\``;
  if (/^\d+(?:\.\d+){0,2}\.?(?:\/\d+)?$/.test(text)) return "an IPv4 address has four parts: `192.0.2.1`";
  return undefined;
}

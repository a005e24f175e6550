import type { Filter } from "../../dsl/filter/ast.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { type NumberField, PROTOCOLS } from "../ir/fields.js";
import { HEADERS, type Header } from "../ir/headers.js";
import { type Answer, answerOf } from "./answers.js";
import { type Comparison, comparisons } from "./filters.js";
import { fieldOf } from "./operands.js";

/**
 * Warns of comparisons of numbers that no value, or every value, of their field fulfils. Addresses are left alone:
 * `ip.src in {::/0}` is how to say "IPv6". Gives the comparisons that never hold.
 */
export function warnOfBounds(filter: Filter, diagnostics: Diagnostics): readonly Comparison[] {
  return comparisons(filter).filter((comparison) => {
    const field = fieldOf(comparison.field);
    return field.type === "number" && warnOfBound(comparison, field, diagnostics) === "never";
  });
}

function warnOfBound(comparison: Comparison, field: NumberField, diagnostics: Diagnostics): Answer {
  const answer = answerOf(comparison, field);
  if (answer === "never") diagnostics.report("TG3002", comparison.span, {});
  const left = answer === "always" ? whatIsLeft(comparison, field) : undefined;
  if (left) diagnostics.report("TG3003", comparison.span, { header: left.header }, { hint: left.hint });
  return answer;
}

interface Left {
  readonly header: string;
  readonly hint: string;
}

/** Headers that can be asked for in other words. */
const PLAIN: ReadonlySet<Header> = new Set([
  "ip4",
  "ip6",
  "proto",
  "tcp",
  "udp",
  "icmp",
  "icmp6",
  "gre",
  "ct",
]);

/**
 * What a comparison that every value fulfils still says: that the field is there. Undefined where there is no
 * other way to say so, as for TCP's options, tags, and bits that may lie behind the end of the packet.
 */
function whatIsLeft({ field: { args } }: Comparison, { readings }: NumberField): Left | undefined {
  // `ip.version in {4 6}` is how to say "every packet".
  if (readings.every(({ kind }) => kind === "constant")) return undefined;
  const headers = readings.map((reading) =>
    reading.kind === "wire" ? reading.wire.header : reading.family === 4 ? "ip4" : "ip6",
  );
  if (args !== null || !headers.every((header) => PLAIN.has(header))) return undefined;
  const protocols = headers.flatMap((header) => protocolOf(header) ?? []);
  const [first, ...others] = protocols;
  if (first === undefined) return family(headers);
  const said = others.length > 0 ? `in {${protocols.join(" ")}}` : `== ${first}`;
  return {
    header: headers.map((header) => HEADERS[header].name).join(" or "),
    hint: `write \`ip.proto ${said}\` if this is meant`,
  };
}

function family(headers: readonly Header[]): Left {
  const [only, ...others] = headers;
  if (others.length > 0 || (only !== "ip4" && only !== "ip6")) return { header: "IP", hint: "leave it out" };
  const hint = `write \`ip.version == ${only === "ip4" ? 4 : 6}\` if this is meant`;
  return { header: HEADERS[only].name, hint };
}

/** As `ip.proto` is compared with it. */
function protocolOf(header: Header): string | undefined {
  const name = Object.entries(PROTOCOLS).find(([, number]) => number === HEADERS[header].proto)?.[0];
  return name && JSON.stringify(name);
}

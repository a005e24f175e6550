import { FIELDS, type FieldName } from "../../compiler/ir/fields.js";
import { OPERATORS } from "../../compiler/ir/value.js";
import { hasBits } from "../../compiler/passes/readings.js";

/** Operators and literals of expressions, for docs/fields.md; a test reads every example and tries every operator. */

export interface OperatorRow {
  /** As `tidegate fmt` writes it. */
  readonly sign: string;
  /** The other spelling; equal to `sign` where there is none. */
  readonly word: string;
  readonly meaning: string;
  readonly example: string;
}

export const OPERATOR_ROWS: readonly OperatorRow[] = [
  { sign: OPERATORS.eq, word: "eq", meaning: "it has the value", example: "tcp.dstport == 443" },
  {
    sign: OPERATORS.ne,
    word: "ne",
    meaning: "it is there and has another value",
    example: "tcp.dstport != 443",
  },
  { sign: OPERATORS.lt, word: "lt", meaning: "it is less", example: "ip.ttl < 5" },
  { sign: OPERATORS.le, word: "le", meaning: "it is less or equal", example: "ip.len <= 1280" },
  { sign: OPERATORS.gt, word: "gt", meaning: "it is greater", example: "ip.len > 1500" },
  { sign: OPERATORS.ge, word: "ge", meaning: "it is greater or equal", example: "tcp.srcport >= 1024" },
  {
    sign: "in",
    word: "in",
    meaning: "it is a member of the set or list",
    example: "tcp.dstport in {80 443}",
  },
  {
    sign: "&",
    word: "bitwise_and",
    meaning: "some bit of the mask is set in it",
    example: "tcp.flags & 0x05",
  },
  {
    sign: "contains",
    word: "contains",
    meaning: "its name has the text in it",
    example: 'ip.proto contains "udp"',
  },
  {
    sign: "matches",
    word: "~",
    meaning: "its name fits the regular expression",
    example: 'ip.proto matches "^(tcp|udp)$"',
  },
  { sign: "not", word: "!", meaning: "the condition is false", example: "not ip.frag" },
  { sign: "and", word: "&&", meaning: "both are true", example: "tcp.flags.syn and tcp.flags.ack" },
  {
    sign: "xor",
    word: "^^",
    meaning: "one is true and the other is not",
    example: "tcp.flags.syn xor tcp.flags.fin",
  },
  {
    sign: "or",
    word: "||",
    meaning: "at least one is true",
    example: "tcp.dstport == 53 or udp.dstport == 53",
  },
];

const EQUALITY = [OPERATORS.eq, OPERATORS.ne];
const ORDER = [OPERATORS.lt, OPERATORS.le, OPERATORS.gt, OPERATORS.ge];
const TEXT = ["contains", "matches"];

/** The operators that a field can stand in front of. */
export function operatorsOf(name: FieldName): readonly string[] {
  const field = FIELDS[name];
  switch (field.type) {
    case "address":
      return [...EQUALITY, "in"];
    case "number":
      return [
        ...[...EQUALITY, ...ORDER, "in"],
        ...(hasBits(field) ? ["&"] : []),
        ...(name === "ip.proto" ? TEXT : []),
      ];
    case "flag":
      return [];
    case "country":
      return [...EQUALITY, "in", ...TEXT];
    case "asnum":
      return [...EQUALITY, ...ORDER, "in"];
  }
}

interface Literal {
  readonly what: string;
  /** Each stands behind an operator of a field that takes it. */
  readonly forms: readonly string[];
  readonly remark: string;
}

export const LITERALS: readonly Literal[] = [
  {
    what: "number",
    forms: ["443", "0x1bb", "0673"],
    remark: "decimal, hexadecimal, or octal behind a leading 0; never negative",
  },
  { what: "address", forms: ["192.0.2.7", "2001:db8::7"], remark: "IPv4 or IPv6, without quotes" },
  {
    what: "text",
    forms: ['"tcp"', 'r"^tcp$"', 'r#"^tcp$"#'],
    remark: 'names; in "…" stand \\" \\\\ and \\x41 for characters, in r"…" nothing does',
  },
  { what: "set", forms: ["{80 443 8000..8080}"], remark: "members with spaces between them, one at least" },
  {
    what: "range",
    forms: ["{20..21}", "{192.0.2.1..192.0.2.9}"],
    remark: "in a set; both ends belong to it",
  },
  {
    what: "prefix",
    forms: ["{192.0.2.0/24}", "{2001:db8::/32}"],
    remark: "in a set; all bits behind the length are 0",
  },
  {
    what: "list",
    forms: [`\${partners}`],
    remark: "behind `in`, for addresses; made by `list([…])`, of either family or both",
  },
];

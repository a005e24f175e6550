import {
  CT_STATES,
  FIELDS,
  type Field,
  type FieldName,
  isFieldName,
  MAX_PAYLOAD_INDEX,
  MAX_SLICE_OFFSET,
  MAX_SLICE_WIDTH,
  PROTOCOLS,
  SLICE_PROTOCOLS,
} from "../../compiler/ir/fields.js";
import type { FunctionName } from "../../compiler/ir/functions.js";
import { HEADERS, type Header } from "../../compiler/ir/headers.js";
import { FIELD_EXAMPLES, FUNCTION_EXAMPLES } from "./field-examples.js";
import { LITERALS, OPERATOR_ROWS, operatorsOf } from "./operator-reference.js";

/** By the first part of their names, in this order. */
const GROUPS: Readonly<Record<string, string>> = {
  ip: "IP",
  ip6: "IPv6",
  tcp: "TCP",
  udp: "UDP",
  port: "Ports of TCP and UDP",
  icmp: "ICMP",
  icmp6: "ICMPv6",
  gre: "GRE",
  eth: "Ethernet",
  ct: "Connections",
  place: "Countries and networks",
};

const TYPES: Readonly<Record<Field["type"], string>> = {
  address: "address",
  number: "number",
  flag: "flag",
  country: "country",
  asnum: "AS number",
};

const HEAD = `# Fields, operators and functions of filter expressions

What can stand in \`\` expr\`…\` \`\`. How to use it is in [language.md](language.md), what it means to the bit in
[semantics.md](semantics.md). Where the public Rules language of Cloudflare has a field or an operator of the same name, it
means the same here.

A field is absent from a packet that lacks what it *needs*, and from one that is cut off before the field's end. A comparison
with an absent field is false, whatever the operator.

This page is generated from the field table (\`src/compiler/ir/fields.ts\`) by \`npm run docs\`.
`;

const PLACES_NOTE = `The operator's tables say which addresses a country or an AS has. \`check\`, \`compile\`, \`explain\` and \`test\`
read them with \`--geo FILE\`; without them these fields are an error. The file is JSON, each part may be left out:

\`\`\`json
{
  "countries": { "DE": ["192.0.2.0/25", "2001:db8:de::/48"], "FR": ["198.51.100.0/24", "203.0.113.0/24"] },
  "asnums": { "64500": ["192.0.2.0/24"], "64501": ["192.0.2.64/26", "203.0.113.0/24"] }
}
\`\`\`

Where prefixes nest, an address belongs to the longest one. A prefix stands once in \`countries\` and once in \`asnums\`.
Countries are two capital letters (ISO 3166-1), AS numbers are decimal. What a rule names must be in the tables.
`;

const PAYLOAD_ARGUMENT = `a byte, 0 to ${MAX_PAYLOAD_INDEX}`;

interface FunctionRow {
  readonly args: string;
  readonly doc: string;
}

const FUNCTIONS: Readonly<Record<FunctionName, FunctionRow>> = {
  bit_slice: {
    args: `a protocol (${Object.keys(SLICE_PROTOCOLS).join(", ")}), a start of 0 to ${MAX_SLICE_OFFSET}, an end behind it`,
    doc: `bits from the start to before the end, at most ${MAX_SLICE_WIDTH}, counted from the start of the protocol's header`,
  },
  "payload.u8": { args: PAYLOAD_ARGUMENT, doc: "one byte behind the transport header" },
  "payload.u16": { args: PAYLOAD_ARGUMENT, doc: "two bytes, the more significant first" },
  "payload.u32": { args: PAYLOAD_ARGUMENT, doc: "four bytes, the most significant first" },
};

/** docs/fields.md */
export function fieldReferenceMarkdown(): string {
  return [HEAD, fieldSections(), functionSection(), operatorSection(), literalSection()].join("\n");
}

function fieldSections(): string {
  const names = Object.keys(FIELDS).filter(isFieldName);
  const sections = Object.entries(GROUPS).map(([group, title]) => {
    const rows = names.filter((name) => groupOf(name) === group).map(fieldRow);
    const head = ["Field", "Type", "Values", "Needs", "Stages", "Meaning", "Example"];
    const notes = group === "place" ? `\n${PLACES_NOTE}` : "";
    return `### ${title}\n\n${table(head, rows)}\n${notes}`;
  });
  const protocols = `Names of \`ip.proto\`: ${named(PROTOCOLS)}.`;
  const states = `Names of \`ct.state\`: ${named(CT_STATES)}; a packet has exactly one of them.`;
  return ["## Fields\n", ...sections, `### Names\n\n${protocols}\n\n${states}\n`].join("\n");
}

function groupOf(name: FieldName): string {
  const { type } = FIELDS[name];
  return type === "country" || type === "asnum" ? "place" : name.slice(0, name.indexOf("."));
}

function fieldRow(name: FieldName): readonly string[] {
  const field = FIELDS[name];
  const headers = headersOf(field);
  return [
    code(name),
    TYPES[field.type],
    valuesOf(field),
    headers.map((header) => HEADERS[header].name).join(" or "),
    stagesOf(headers),
    field.doc,
    code(FIELD_EXAMPLES[name]),
  ];
}

/** Each of them will do. */
function headersOf(field: Field): readonly Header[] {
  switch (field.type) {
    case "address":
    case "country":
    case "asnum":
      return ["ip4", "ip6"];
    case "flag":
      return unique(field.readings.map(({ wire }) => wire.header));
    case "number":
      return unique(
        field.readings.map((reading) =>
          reading.kind === "wire" ? reading.wire.header : (`ip${reading.family}` as const),
        ),
      );
  }
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}

function valuesOf(field: Field): string {
  switch (field.type) {
    case "number":
      return `${field.min} to ${field.max}${field.names ? ", [names](#names)" : ""}`;
    case "address":
      return "addresses of either family";
    case "flag":
      return "";
    case "country":
      return "countries of the tables";
    case "asnum":
      return "AS numbers of the tables";
  }
}

function stagesOf(headers: readonly Header[]): string {
  if (headers.includes("vlan")) return "`mitigate`";
  return headers.includes("ct") ? "`firewall`, with `stateful`" : "both";
}

function functionSection(): string {
  const rows = Object.entries(FUNCTIONS).map(([name, { args, doc }]) => [
    code(name),
    args,
    doc,
    code(FUNCTION_EXAMPLES[name as FunctionName]),
  ]);
  const head = ["Function", "Arguments", "Meaning", "Example"];
  return `## Functions of the packet

A function stands where a number field stands, with the same operators. It is absent where its bits are not in the packet.
The payload is what follows a TCP header with its options, or the 8 bytes of a UDP, ICMP or ICMPv6 header.

${table(head, rows)}
`;
}

function operatorSection(): string {
  const rows = OPERATOR_ROWS.map(({ sign, word, meaning, example }) => [
    code(sign),
    word === sign ? "" : code(word),
    meaning,
    operandsOf(sign),
    code(example),
  ]);
  return `## Operators

${table(["Operator", "Also", "True if", "Fields", "Example"], rows)}

\`not\` binds closest, then \`and\`, then \`xor\`, then \`or\`; parentheses go before all. A flag is a condition by itself and
takes no operator but these four. \`#\` starts a comment, up to the end of the line.
`;
}

/** The types that take an operator, with the fields of a type that do not. */
function operandsOf(operator: string): string {
  const parts = Object.entries(TYPES).flatMap(([type, title]) => {
    const all = Object.keys(FIELDS).filter(isFieldName);
    const names = all.filter((name) => FIELDS[name].type === type);
    const [fit, unfit] = [true, false].map((wanted) =>
      names.filter((name) => operatorsOf(name).includes(operator) === wanted),
    );
    if (!fit?.length) return [];
    if (!unfit?.length) return [title];
    return fit.length < unfit.length
      ? [fit.map(code).join(", ")]
      : [`${title} but ${unfit.map(code).join(", ")}`];
  });
  return parts.length === 0 ? "conditions" : parts.join("; ");
}

function literalSection(): string {
  const rows = LITERALS.map(({ what, forms, remark }) => [what, forms.map(code).join(" "), remark]);
  return `## Values\n\n${table(["Value", "Forms", ""], rows)}\n`;
}

function named(names: Readonly<Record<string, number>>): string {
  return Object.entries(names)
    .map(([name, value]) => `\`"${name}"\` ${value}`)
    .join(", ");
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // A bar would end its cell, inside of code too.
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

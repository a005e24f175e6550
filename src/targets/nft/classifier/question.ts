import { type Ranges, range, unite } from "../../../compiler/analysis/ranges.js";
import {
  type Asks,
  isTransport,
  TRANSPORTS,
  type TransportName,
  UNKNOWN_PROTOCOL,
  type Variable,
} from "../../../compiler/analysis/variable.js";
import { assertNever, invariant } from "../../../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS, formatAddress } from "../../../compiler/ir/address.js";
import { HEADERS } from "../../../compiler/ir/headers.js";
import { bytesNeeded, WIRE_FIELDS, type WireField } from "../../../compiler/ir/wire.js";
import type { Part } from "../condition.js";
import { addressText, PROTOCOL, portFor, wordFor } from "../words.js";

/** What a verdict map can look up: one of the analysis' variables, in the packets that have it. */
export interface Subject {
  readonly variable: Variable;
  /** How many of the lowest bits may be masked away: packets that agree in the rest get the same answer. */
  readonly shifts: readonly number[];
  /** What the variables say of every packet that gets past the guards of the lookup, and of no other that has a value. */
  readonly present: readonly Fact[];
  /** More that is true of these packets. */
  readonly besides: readonly Fact[];
  /** The variable's value in packets that do not get past the guards. */
  readonly absent: number;
  /** What stands left of `vmap`, with its guards. */
  readonly text: (shift: number) => string;
  /** A value, its lowest bits 0, as nft writes it. */
  readonly spell: (value: number) => string;
}

interface Fact {
  /** Of a variable. */
  readonly key: string;
  readonly allows: Ranges;
}

/** The subjects that a variable is: none where nft has no lookup that says exactly what the variable says. */
export function subjectsOf(variable: Variable, part: Part): readonly Subject[] {
  const { asks } = variable;
  switch (asks.kind) {
    case "address":
      return [addressSubject(variable, asks)];
    case "protocol":
      return [protocolSubject(variable)];
    case "bits":
      return part === "whole" ? transportSubjects(variable, asks) : [];
    case "family":
    case "transport":
    case "length":
    case "part":
      return [];
    default:
      return assertNever(asks);
  }
}

/** Networks are mostly cut at whole bytes; the steps between are for those that are not. */
const ADDRESS_SHIFTS = [0, 4, 8, 12, 16, 20, 24];
const CHUNK = 32;

function addressSubject(variable: Variable, asks: Extract<Asks, { kind: "address" }>): Subject {
  const { family, field, chunk } = asks;
  const below = BigInt(ADDRESS_BITS[family] - CHUNK * (chunk + 1));
  const spell = (value: number) => formatAddress({ family, value: BigInt(value) << below });
  const whole = addressText(field, family);
  return {
    variable,
    shifts: ADDRESS_SHIFTS,
    present: [{ key: "family", allows: range(family, family) }],
    besides: [],
    absent: 0,
    text: (shift) => (shift === 0 && family === 4 ? whole : `${whole} & ${spell(2 ** CHUNK - 2 ** shift)}`),
    spell,
  };
}

function protocolSubject(variable: Variable): Subject {
  return {
    variable,
    shifts: [0],
    present: [{ key: "protocol", allows: range(0, 255) }],
    besides: [],
    absent: UNKNOWN_PROTOCOL,
    text: () => PROTOCOL,
    spell: String,
  };
}

/** The places behind the IP header that are looked up: numbers that rules ask for one by one. */
const LOOKED_UP = (
  ["tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "icmp.type", "icmp6.type"] as const
).map((name) => WIRE_FIELDS[name]);

function transportSubjects(
  variable: Variable,
  { headers, offset, width }: Extract<Asks, { kind: "bits" }>,
): readonly Subject[] {
  const fields = LOOKED_UP.filter(
    (field) => headers.includes(field.header) && field.offset === offset && field.width === width,
  );
  // Ports of TCP and UDP are one question; nft's `th` has them both, and is guarded here.
  const ports = fields.filter((field) => portFor(field) !== undefined);
  const [th] = ports.map(portFor);
  if (ports.length < 2 || !th) return fields.map((field) => fieldSubject(variable, [field], wordOf(field)));
  const guard = `${PROTOCOL} { ${ports.map(({ header }) => HEADERS[header].proto).join(", ")} }`;
  const others = fields.filter((field) => !ports.includes(field));
  return [
    fieldSubject(variable, ports, `${guard} ${th.text}`),
    ...others.map((field) => fieldSubject(variable, [field], wordOf(field))),
  ];
}

function fieldSubject(variable: Variable, fields: readonly WireField[], text: string): Subject {
  return {
    variable,
    shifts: [0],
    present: [{ key: "transport", allows: united(fields, transportsWith) }],
    besides: [{ key: "protocol", allows: united(fields, protocolsWith) }],
    absent: 0,
    text: () => text,
    spell: String,
  };
}

function united(fields: readonly WireField[], of: (field: WireField) => Ranges): Ranges {
  return fields.map(of).reduce(unite);
}

function transportsWith(field: WireField): Ranges {
  const which = TRANSPORTS[headerOf(field)] * 0x1_0000;
  return range(which + bytesNeeded(field), which + 0xffff);
}

function protocolsWith(field: WireField): Ranges {
  const { proto } = HEADERS[headerOf(field)];
  return range(proto, proto);
}

function headerOf({ header }: WireField): TransportName {
  invariant(isTransport(header), `${header} is a transport header`);
  return header;
}

function wordOf(field: WireField): string {
  const word = wordFor(field);
  invariant(word, `nft has a word for ${field.name}`);
  return word.text;
}

import fc from "fast-check";
import {
  type AddressFieldName,
  bitSliceField,
  FIELDS,
  type FieldName,
  type FlagField,
  MAX_PAYLOAD_INDEX,
  MAX_SLICE_OFFSET,
  type NumberField,
  payloadField,
  SLICE_PROTOCOLS,
} from "../../src/compiler/ir/fields.js";
import { contains } from "../../src/compiler/ir/intervals.js";
import type { Stage } from "../../src/compiler/ir/policy.js";
import type { Packet } from "../../src/compiler/semantics/decode.js";
import { readNumber } from "../../src/compiler/semantics/fields.js";
import { addressConditions, placeConditions } from "./language-addresses.js";
import {
  COMPARISONS,
  type Condition,
  comparison,
  type Operator,
  operatorAmong,
} from "./language-comparison.js";

/** Comparisons of every field and function in the field table, in every spelling. */

/** The value of a number that a comparison asks for; undefined: absent. */
function valueIn({ readings }: NumberField, packet: Packet): bigint | undefined {
  for (const reading of readings) {
    if (reading.kind === "constant") {
      if (packet.family === reading.family) return BigInt(reading.value);
      continue;
    }
    const bits = readNumber(packet, reading.wire);
    if (bits !== undefined) return bits * BigInt(reading.scale) + BigInt(reading.add);
  }
  return undefined;
}

/** The numbers where a carry or a sign could go wrong, those that packets mostly have, and any others. */
function numbers({ min, max, values = [], readings }: NumberField): fc.Arbitrary<number> {
  const middle = Math.floor((min + max) / 2);
  const turns = [0, 1, min, min + 1, middle, middle + 1, max - 1, max, ...values];
  const edges = turns.filter((value) => value <= max);
  const scale = Math.max(...readings.map((reading) => (reading.kind === "wire" ? reading.scale : 1)));
  const constants = readings.flatMap((reading) => (reading.kind === "constant" ? [reading.value] : []));
  const usual = [...values, ...constants];
  return fc.oneof(
    fc.constantFrom(...new Set(edges)),
    fc.nat(Math.min(max, 64)),
    fc.nat(max),
    fc.nat(Math.min(Math.floor(max / scale), 256)).map((value) => value * scale),
    ...(usual.length > 0 ? [{ weight: 4, arbitrary: fc.constantFrom(...usual) }] : []),
  );
}

const written = (value: number) => fc.constantFrom(`${value}`, `0x${value.toString(16)}`);

function member(field: NumberField) {
  const one = numbers(field).chain((value) =>
    written(value).map((text) => ({ text, low: value, high: value })),
  );
  const range = fc.tuple(numbers(field), numbers(field)).map(([a, b]) => {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    return { text: `${low}..${high}`, low, high };
  });
  const named = Object.entries(field.names ?? {}).map(([name, value]) => {
    return { text: JSON.stringify(name), low: value, high: value };
  });
  return named.length > 0 ? fc.oneof(one, range, fc.constantFrom(...named)) : fc.oneof(one, range);
}

/** A comparison of a number: its text, and whether it holds for a value. */
export interface Question {
  readonly operator: Operator;
  readonly text: string;
  readonly asks: (value: bigint) => boolean;
}

export function questions(text: string, field: NumberField): fc.Arbitrary<Question> {
  const compared = fc
    .tuple(operatorAmong(COMPARISONS), numbers(field))
    .chain(([{ operator, text: op, asks }, value]) =>
      written(value).map((right) => ({
        operator,
        text: `${text} ${op} ${right}`,
        asks: (found: bigint) => asks(found, BigInt(value)),
      })),
    );
  const inSet = fc.array(member(field), { minLength: 1, maxLength: 4 }).map((members) => ({
    operator: "in" as const,
    text: `${text} in {${members.map((one) => one.text).join(" ")}}`,
    asks: (found: bigint) => members.some(({ low, high }) => low <= found && found <= high),
  }));
  if (!isPlain(field)) return fc.oneof({ weight: 3, arbitrary: compared }, inSet);
  const bits = numbers(field).map((mask) => ({
    operator: "&" as const,
    text: `${text} & ${mask}`,
    asks: (found: bigint) => (found & BigInt(mask)) !== 0n,
  }));
  return fc.oneof({ weight: 3, arbitrary: compared }, inSet, bits);
}

/** The bits of the number are bits of the packet. */
export function isPlain({ readings }: NumberField): boolean {
  return readings.every((reading) => reading.kind === "wire" && reading.scale === 1 && reading.add === 0);
}

function numberConditions(name: string, field: NumberField, subject: string = name): fc.Arbitrary<Condition> {
  const numeric = questions(name, field).map(({ operator, text, asks }) =>
    comparison(subject, operator, text, (packet) => {
      const value = valueIn(field, packet);
      return value !== undefined && asks(value);
    }),
  );
  return name === "ip.proto" ? fc.oneof({ weight: 8, arbitrary: numeric }, protocolNames) : numeric;
}

/** Parts of names and regular expressions, and the protocols whose names have or fit them. */
const PROTOCOL_NAMES: readonly (readonly [Operator, spelling: string, text: string, readonly number[]])[] = [
  ["contains", "contains", "icmp", [1, 58]],
  ["contains", "contains", "udp", [17, 136]],
  ["matches", "matches", "^(tcp|udp|sctp)$", [6, 17, 132]],
  ["matches", "~", "^i", [1, 2, 4, 41, 58]],
];

const protocolNames = fc
  .constantFrom(...PROTOCOL_NAMES)
  .map(([operator, spelling, text, protocols]) =>
    comparison(
      "ip.proto",
      operator,
      `ip.proto ${spelling} "${text}"`,
      ({ protocol }) => protocol !== null && protocols.includes(protocol),
    ),
  );

function flagCondition(text: string, { readings }: FlagField): fc.Arbitrary<Condition> {
  const holds = (packet: Packet) =>
    readings.some((reading) => {
      const value = readNumber(packet, reading.wire);
      if (value === undefined) return false;
      return "mask" in reading ? (value & BigInt(reading.mask)) !== 0n : contains(reading.ranges, value);
    });
  return fc.constant(comparison(text, "is", text, holds));
}

const functions: fc.Arbitrary<Condition> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom<8 | 16 | 32>(8, 16, 32),
      fc.oneof(fc.nat(12), fc.constantFrom(MAX_PAYLOAD_INDEX - 1, MAX_PAYLOAD_INDEX)),
    )
    .chain(([width, index]) =>
      numberConditions(`payload.u${width}(${index})`, payloadField(index, width), `payload.u${width}`),
    ),
  fc
    .tuple(
      fc.constantFrom(...(Object.keys(SLICE_PROTOCOLS) as (keyof typeof SLICE_PROTOCOLS)[])),
      fc.oneof(fc.nat(200), fc.nat(64), fc.constantFrom(MAX_SLICE_OFFSET - 7, MAX_SLICE_OFFSET)),
      fc.oneof(fc.integer({ min: 1, max: 32 }), fc.constantFrom(8, 16, 32)),
    )
    .chain(([protocol, start, width]) =>
      numberConditions(
        `bit_slice(${protocol}, ${start}, ${start + width})`,
        bitSliceField(protocol, start, start + width),
        `bit_slice(${protocol})`,
      ),
    ),
);

export function comparisonsOf(name: FieldName): fc.Arbitrary<Condition> {
  const field = FIELDS[name];
  switch (field.type) {
    case "number":
      return numberConditions(name, field);
    case "flag":
      return flagCondition(name, field);
    case "address":
      return addressConditions(name as AddressFieldName);
    default:
      return placeConditions(name, field);
  }
}

/** Where conditions stand: a stage, or a firewall that knows connections. */
export type Place = Stage | "stateful";

/** A tag is gone behind `mitigate`. */
const NOT_IN: Readonly<Record<Place, readonly FieldName[]>> = {
  mitigate: ["ct.state"],
  firewall: ["ct.state", "eth.vlan"],
  stateful: ["eth.vlan"],
};

/** The fields that conditions can ask for there. */
export function fieldsIn(place: Place): readonly FieldName[] {
  return (Object.keys(FIELDS) as FieldName[]).filter((name) => !NOT_IN[place].includes(name));
}

/** A comparison of any field or function that can be asked for there. */
export function comparisonsIn(place: Place): fc.Arbitrary<Condition> {
  const names = fieldsIn(place);
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...names).chain(comparisonsOf) },
    { weight: 1, arbitrary: functions },
    // What a firewall is made stateful for.
    { weight: place === "stateful" ? 6 : 0, arbitrary: comparisonsOf("ct.state") },
  );
}

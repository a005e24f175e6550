import fc from "fast-check";
import {
  type Family,
  type Prefix,
  parsePrefix,
  prefixContainsAddress,
} from "../../src/compiler/ir/address.js";
import {
  type AddressFieldName,
  bitSliceField,
  FIELDS,
  type FieldName,
  type FlagField,
  MAX_PAYLOAD_INDEX,
  MAX_SLICE_OFFSET,
  type NumberField,
  type PlaceField,
  payloadField,
  SLICE_PROTOCOLS,
} from "../../src/compiler/ir/fields.js";
import { type Geography, partition } from "../../src/compiler/ir/geography.js";
import { contains } from "../../src/compiler/ir/intervals.js";
import type { Stage } from "../../src/compiler/ir/policy.js";
import type { Packet } from "../../src/compiler/semantics/decode.js";
import { readNumber } from "../../src/compiler/semantics/fields.js";

/**
 * Comparisons as authors write them, of every field and function in the field table, each with what it means. The meaning is
 * worked out from the values that were written, past all passes of the compiler.
 */
export interface Condition {
  readonly text: string;
  readonly binds: Binding;
  readonly holds: (packet: Packet) => boolean;
}

/** What a condition is made by: from the tightest operator to the loosest (docs/language.md). */
export const BINDINGS = ["comparison", "not", "and", "xor", "or"] as const;
export type Binding = (typeof BINDINGS)[number];

function comparison(text: string, holds: Condition["holds"]): Condition {
  return { text, binds: "comparison", holds };
}

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

type Compare = (value: bigint, other: bigint) => boolean;

/** Every spelling of every operator, and what it asks. */
const COMPARISONS: readonly (readonly [spellings: readonly string[], Compare])[] = [
  [["==", "eq"], (value, other) => value === other],
  [["!=", "ne"], (value, other) => value !== other],
  [["<", "lt"], (value, other) => value < other],
  [["<=", "le"], (value, other) => value <= other],
  [[">", "gt"], (value, other) => value > other],
  [[">=", "ge"], (value, other) => value >= other],
];
const EQUALITIES = COMPARISONS.slice(0, 2);

const operator = (from: typeof COMPARISONS) =>
  fc
    .constantFrom(...from)
    .chain(([spellings, asks]) => fc.constantFrom(...spellings).map((text) => ({ text, asks })));

/** The numbers where a carry or a sign could go wrong, and any others; decimal or hexadecimal. */
function numbers({ min, max }: NumberField): fc.Arbitrary<number> {
  const middle = Math.floor((min + max) / 2);
  const edges = [0, 1, min, min + 1, middle, middle + 1, max - 1, max].filter((value) => value <= max);
  return fc.oneof(fc.constantFrom(...new Set(edges)), fc.nat(Math.min(max, 64)), fc.nat(max));
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
  readonly text: string;
  readonly asks: (value: bigint) => boolean;
}

export function questions(text: string, field: NumberField): fc.Arbitrary<Question> {
  const compared = fc.tuple(operator(COMPARISONS), numbers(field)).chain(([{ text: op, asks }, value]) =>
    written(value).map((right) => ({
      text: `${text} ${op} ${right}`,
      asks: (found: bigint) => asks(found, BigInt(value)),
    })),
  );
  const inSet = fc.array(member(field), { minLength: 1, maxLength: 4 }).map((members) => ({
    text: `${text} in {${members.map((one) => one.text).join(" ")}}`,
    asks: (found: bigint) => members.some(({ low, high }) => low <= found && found <= high),
  }));
  const plain = field.readings.every(
    (reading) => reading.kind === "wire" && reading.scale === 1 && reading.add === 0,
  );
  const bits = numbers(field).map((mask) => ({
    text: `${text} & ${mask}`,
    asks: (found: bigint) => (found & BigInt(mask)) !== 0n,
  }));
  return plain ? fc.oneof(compared, inSet, bits) : fc.oneof(compared, inSet);
}

function numberConditions(name: string, field: NumberField): fc.Arbitrary<Condition> {
  return questions(name, field).map(({ text, asks }) =>
    comparison(text, (packet) => {
      const value = valueIn(field, packet);
      return value !== undefined && asks(value);
    }),
  );
}

function flagCondition(text: string, { readings }: FlagField): fc.Arbitrary<Condition> {
  const holds = (packet: Packet) =>
    readings.some((reading) => {
      const value = readNumber(packet, reading.wire);
      if (value === undefined) return false;
      return "mask" in reading ? (value & BigInt(reading.mask)) !== 0n : contains(reading.ranges, value);
    });
  return fc.constant(comparison(text, holds));
}

export function prefixOf(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
  return parsed.prefix;
}

/** Members of sets of addresses; the last of each is a single one. Destinations are the customer's own (TG2019). */
const MEMBERS = {
  "ip.src": {
    4: ["10.0.0.0/8", "192.0.2.0/25", "0.0.0.0/1", "203.0.113.64/26", "192.0.2.7/32"],
    6: ["2001:db8:1::/48", "8000::/1", "2001:db8::/127", "::/0", "2001:db8:1::7/128"],
  },
  "ip.dst": {
    4: ["203.0.113.0/24", "203.0.113.64/26", "203.0.113.128/25", "203.0.113.100/32"],
    6: ["2001:db8::/32", "2001:db8:8000::/33", "2001:db8::8/125", "2001:db8::9/128"],
  },
} as const satisfies Readonly<Record<AddressFieldName, Readonly<Record<Family, readonly string[]>>>>;

/** The list that each generated policy declares as `partners`. */
export const PARTNERS = ["10.0.0.0/9", "192.0.2.6/31", "2001:db8:1::/49", "203.0.113.96/27"];

function addressConditions(name: AddressFieldName): fc.Arbitrary<Condition> {
  const inAny = (texts: readonly string[]) => (packet: Packet) =>
    texts.map(prefixOf).some((prefix) => prefixContainsAddress(prefix, addressOf(packet, name)));
  const family = fc.constantFrom<Family>(4, 6);
  const sets = family
    .chain((of) => fc.subarray<string>([...MEMBERS[name][of]], { minLength: 1 }))
    .map((texts) => comparison(`${name} in {${texts.join(" ")}}`, inAny(texts)));
  const equal = fc.tuple(family, operator(EQUALITIES)).map(([of, { text, asks }]) => {
    const prefix = prefixOf(MEMBERS[name][of].at(-1) ?? "");
    const address = (MEMBERS[name][of].at(-1) ?? "").replace(/\/.*/, "");
    return comparison(`${name} ${text} ${address}`, (packet) => {
      const found = addressOf(packet, name);
      return found.family === of && asks(found.value, prefix.base);
    });
  });
  const list = fc.constant(comparison(`${name} in \${partners}`, inAny(PARTNERS)));
  return fc.oneof(sets, equal, list);
}

function addressOf(packet: Packet, name: AddressFieldName) {
  return name === "ip.src" ? packet.source : packet.destination;
}

/** Nested, and of both families. */
const TABLES = {
  country: [
    ["192.0.2.0/24", "DE"],
    ["192.0.2.4/30", "FR"],
    ["203.0.113.0/25", "US"],
    ["2001:db8::/32", "DE"],
    ["2001:db8:1::/48", "FR"],
  ],
  asnum: [
    ["0.0.0.0/0", 64500],
    ["192.0.2.0/25", 64501],
    ["203.0.113.100/32", 4_200_000_000],
    ["2001:db8::/48", 64501],
  ],
} as const;

const rows = <Value extends string | number>(table: readonly (readonly [string, Value])[]) =>
  table.map(([text, value]) => ({ prefix: prefixOf(text), value }));

export const GEOGRAPHY: Geography = {
  country: partition<string>(rows<string>(TABLES.country)),
  asnum: partition<number>(rows<number>(TABLES.asnum)),
};

function placeConditions(name: string, { type, of }: PlaceField): fc.Arbitrary<Condition> {
  const table = rows<string | number>(TABLES[type]);
  const asks = (ask: (value: string | number) => boolean) => (packet: Packet) => {
    const found = table
      .filter(({ prefix }) => prefixContainsAddress(prefix, addressOf(packet, of)))
      .sort((a, b) => b.prefix.length - a.prefix.length)[0];
    return found !== undefined && ask(found.value);
  };
  const values = [...new Set(table.map(({ value }) => value))];
  const equal = fc.tuple(fc.constantFrom(...values), fc.constantFrom("==", "!=")).map(([value, op]) =>
    comparison(
      `${name} ${op} ${JSON.stringify(value)}`,
      asks((found) => (found === value) === (op === "==")),
    ),
  );
  const sets = fc.subarray(values, { minLength: 1 }).map((some) =>
    comparison(
      `${name} in {${some.map((value) => JSON.stringify(value)).join(" ")}}`,
      asks((found) => some.includes(found)),
    ),
  );
  const own =
    type === "country"
      ? comparison(
          `${name} matches "^(D|F)"`,
          asks((found) => found !== "US"),
        )
      : comparison(
          `${name} > 64500`,
          asks((found) => Number(found) > 64_500),
        );
  return fc.oneof(equal, sets, fc.constant(own));
}

const functions: fc.Arbitrary<Condition> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom<8 | 16 | 32>(8, 16, 32),
      fc.oneof(fc.nat(12), fc.constantFrom(MAX_PAYLOAD_INDEX - 1, MAX_PAYLOAD_INDEX)),
    )
    .chain(([width, index]) => numberConditions(`payload.u${width}(${index})`, payloadField(index, width))),
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
      ),
    ),
);

function ofField(name: FieldName): fc.Arbitrary<Condition> {
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

/** A tag is gone behind `mitigate`; what a packet is to a connection only the kernel knows. */
const NOT_IN: Readonly<Record<Stage, readonly FieldName[]>> = {
  mitigate: ["ct.state"],
  firewall: ["ct.state", "eth.vlan"],
};

/** A comparison of any field or function that the stage can ask for. */
export function comparisonsIn(stage: Stage): fc.Arbitrary<Condition> {
  const names = (Object.keys(FIELDS) as FieldName[]).filter((name) => !NOT_IN[stage].includes(name));
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...names).chain(ofField) },
    { weight: 1, arbitrary: functions },
  );
}

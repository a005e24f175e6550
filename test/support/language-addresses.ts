import fc from "fast-check";
import {
  type Family,
  formatAddress,
  type Prefix,
  parsePrefix,
  prefixContainsAddress,
} from "../../src/compiler/ir/address.js";
import type { AddressFieldName, PlaceField } from "../../src/compiler/ir/fields.js";
import { type Geography, partition } from "../../src/compiler/ir/geography.js";
import type { Packet } from "../../src/compiler/semantics/decode.js";
import { COMPARISONS, type Condition, comparison, EQUALITIES, operatorAmong } from "./language-comparison.js";

/** Comparisons of addresses, and of what the operator's tables say of them. */

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

export function addressConditions(name: AddressFieldName): fc.Arbitrary<Condition> {
  const inAny = (texts: readonly string[]) => (packet: Packet) =>
    texts.map(prefixOf).some((prefix) => prefixContainsAddress(prefix, addressOf(packet, name)));
  const family = fc.constantFrom<Family>(4, 6);
  const sets = family
    .chain((of) => fc.subarray<string>([...MEMBERS[name][of]], { minLength: 1 }))
    .map((texts) => comparison(name, "in", `${name} in {${texts.join(" ")}}`, inAny(texts)));
  const ranges = family.map((of) => rangeCondition(name, of));
  const equal = fc.tuple(family, operatorAmong(EQUALITIES)).map(([of, { operator, text, asks }]) => {
    const prefix = prefixOf(MEMBERS[name][of].at(-1) ?? "");
    return comparison(name, operator, `${name} ${text} ${addressIn(name, of)}`, (packet) => {
      const found = addressOf(packet, name);
      return found.family === of && asks(found.value, prefix.base);
    });
  });
  const list = fc.constant(comparison(name, "in list", `${name} in \${partners}`, inAny(PARTNERS)));
  return fc.oneof({ weight: 2, arbitrary: sets }, ranges, { weight: 2, arbitrary: equal }, list);
}

/** The single address among the members. */
function addressIn(name: AddressFieldName, family: Family): string {
  return (MEMBERS[name][family].at(-1) ?? "").replace(/\/.*/, "");
}

/** From the single address to the end of what stands 97 behind it: no prefix. */
function rangeCondition(name: AddressFieldName, family: Family): Condition {
  const low = prefixOf(MEMBERS[name][family].at(-1) ?? "").base;
  const high = low + 97n;
  const text = `${name} in {${addressIn(name, family)}..${formatAddress({ family, value: high })}}`;
  return comparison(name, "in", text, (packet) => {
    const found = addressOf(packet, name);
    return found.family === family && low <= found.value && found.value <= high;
  });
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

export function placeConditions(name: string, { type, of }: PlaceField): fc.Arbitrary<Condition> {
  const table = rows<string | number>(TABLES[type]);
  const asks = (ask: (value: string | number) => boolean) => (packet: Packet) => {
    const found = table
      .filter(({ prefix }) => prefixContainsAddress(prefix, addressOf(packet, of)))
      .sort((a, b) => b.prefix.length - a.prefix.length)[0];
    return found !== undefined && ask(found.value);
  };
  const values = [...new Set(table.map(({ value }) => value))];
  const compared = fc
    .tuple(fc.constantFrom(...values), operatorAmong(type === "country" ? EQUALITIES : COMPARISONS))
    .map(([value, { operator, text, asks: compare }]) =>
      comparison(
        name,
        operator,
        `${name} ${text} ${JSON.stringify(value)}`,
        // Texts are told apart by where they stand among the values.
        asks((found) => compare(rank(found, values), rank(value, values))),
      ),
    );
  const sets = fc.subarray(values, { minLength: 1 }).map((some) =>
    comparison(
      name,
      "in",
      `${name} in {${some.map((value) => JSON.stringify(value)).join(" ")}}`,
      asks((found) => some.includes(found)),
    ),
  );
  if (type === "asnum") return fc.oneof({ weight: 3, arbitrary: compared }, sets);
  const named = fc.constantFrom(
    comparison(
      name,
      "matches",
      `${name} matches "^(D|F)"`,
      asks((found) => found !== "US"),
    ),
    comparison(
      name,
      "contains",
      `${name} contains "E"`,
      asks((found) => found === "DE"),
    ),
  );
  return fc.oneof(compared, sets, named);
}

function rank(value: string | number, values: readonly (string | number)[]): bigint {
  return BigInt(typeof value === "number" ? value : values.indexOf(value));
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CT_STATES, NUMBER_FIELDS, type NumberField, type Reading } from "../../src/compiler/ir/fields.js";
import { questions } from "../support/language-conditions.js";
import { readParts } from "../support/reading.js";

/** A comparison that no packet, or every packet with the field, fulfils: said exactly where it is so. */

/** Well-formed packets have no less (docs/semantics.md, "Malformed packets"). */
const SMALLEST: Readonly<Record<string, number>> = { "ip4.hdr_words": 5, "ip4.len": 20 };

/** Every value of a narrow place; of a wide one those near the edges and near the numbers that are written. */
function valuesOf(reading: Reading, near: readonly number[]): readonly bigint[] {
  if (reading.kind === "constant") return [BigInt(reading.value)];
  const { wire, scale, add } = reading;
  if (wire.name === "ct.state") return Object.values(CT_STATES).map(BigInt);
  const first = SMALLEST[wire.name] ?? 0;
  const last = 2 ** wire.width - 1;
  const around = [first, last, ...near.map((value) => Math.floor((value - add) / scale))];
  const bits =
    wire.width <= 8
      ? Array.from({ length: last + 1 }, (_, value) => value)
      : around.flatMap((value) => [-2, -1, 0, 1, 2].map((step) => value + step));
  return bits.filter((value) => first <= value && value <= last).map((value) => BigInt(value * scale + add));
}

const numbersIn = (text: string) => (text.match(/0x[0-9a-f]+|\b\d+/g) ?? []).map(Number);

function said(text: string): readonly string[] {
  const rules = `drop("r", expr\`${text}\`)`;
  return readParts(text.startsWith("ct.") ? { rules, stateful: "true" } : { mitigate: rules }).found.map(
    ({ code }) => code,
  );
}

describe.each(Object.entries(NUMBER_FIELDS))("%s", (name, field: NumberField) => {
  test("TG3002 where no value fulfils it, TG3003 where every value does", () => {
    fc.assert(
      fc.property(questions(name, field), ({ text, asks }) => {
        // A mask is a row of bits, near to no number: those of every width are asked for.
        const bits = text.includes("&") ? Array.from({ length: 32 }, (_, bit) => 2 ** bit) : [];
        const near = [...numbersIn(text), ...bits];
        const held = field.readings.flatMap((reading) => valuesOf(reading, near)).map(asks);
        const codes = said(text);
        expect(codes.includes("TG3002"), text).toBe(!held.includes(true));
        // What can be asked for in no other words is no mistake: `tcp.option.mss >= 0` says that there is one, `ip.version in {4 6}` "every packet".
        if (OWN_WORDS.includes(name)) expect(codes, text).not.toContain("TG3003");
        else expect(codes.includes("TG3003"), text).toBe(!held.includes(false));
      }),
      { numRuns: 150 },
    );
  });
});

const OWN_WORDS = ["ip.version", "tcp.option.mss", "gre.key", "eth.vlan", "ip.opt.type", "ip.frag.offset"];

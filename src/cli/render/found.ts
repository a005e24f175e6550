import { formatAddress } from "../../compiler/ir/address.js";
import type { Test } from "../../compiler/ir/expr.js";
import { NUMBER_FIELDS, type NumberField } from "../../compiler/ir/fields.js";
import type { WireField } from "../../compiler/ir/wire.js";
import type { Miss } from "../../compiler/semantics/match.js";
import { flagsText } from "../../compiler/semantics/packet-summary.js";

/** Why a rule did not match, for "no match, …": what the packet has where the rule asked for something else. */
export function whyMissed(miss: Miss | null): string {
  if (!miss) return "false";
  if (miss.absent) return absence(miss);
  const value = miss.found && isWholeOf(miss) ? valueText(miss.found.test, miss.found.value) : null;
  return value === null ? "false" : `the packet has ${value}`;
}

function absence({ part }: Miss): string {
  if (part.kind !== "address" && part.kind !== "list") return "the packet has no such field";
  return `the packet is IPv${part.family === 4 ? 6 : 4}`;
}

/** A disjunction may be one comparison of a field that has several places, or several that an author wrote. */
function isWholeOf({ part, found }: Miss): boolean {
  if (part.kind !== "or") return true;
  return part.span.start === found?.test.span.start && part.span.end === found.test.span.end;
}

/** The value as an author would write it, or null where no field is the number that stands there. */
function valueText(test: Test, value: bigint): string | null {
  if (test.kind === "address" || test.kind === "list") return formatAddress({ family: test.family, value });
  const { field } = test;
  if (field.name === "tcp.flags") return flagsText(Number(value));
  if (field.name === "slice") return `0x${value.toString(16).padStart(Math.ceil(field.width / 4), "0")}`;
  const read = numberField(field);
  if (!read) return null;
  const number = Number(value) * read.scale + read.add;
  const [name] = Object.entries(read.names ?? {}).find(([, one]) => one === number) ?? [];
  return name === undefined ? String(number) : `${number} (${name})`;
}

interface ReadNumber {
  readonly scale: number;
  readonly add: number;
  readonly names: NumberField["names"];
}

/** Fields that read the same place read it alike. */
function numberField({ name }: WireField): ReadNumber | undefined {
  for (const { readings, names } of Object.values(NUMBER_FIELDS)) {
    for (const one of readings) {
      if (one.kind === "wire" && one.wire.name === name) return { scale: one.scale, add: one.add, names };
    }
  }
  return undefined;
}

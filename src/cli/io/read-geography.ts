import { z } from "zod";
import { parsePrefix } from "../../compiler/ir/address.js";
import { type Geography, type Located, partition } from "../../compiler/ir/geography.js";
import { UsageError } from "../exit.js";
import { readSource } from "./read-source.js";

/** Tables of the operator: the prefixes of each country (ISO 3166-1, two letters) and each AS. */
const tables = z.strictObject({
  countries: z.record(z.string().regex(/^[A-Z]{2}$/), z.array(z.string())).default({}),
  asnums: z.record(z.string().regex(/^\d{1,10}$/), z.array(z.string())).default({}),
});

/** Reads `--geo FILE`; a mistake in it is a usage error that names its place. */
export function readGeography(file: string): Geography {
  const read = tables.safeParse(parseJson(file, readSource(file)));
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new UsageError(`${file}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { countries, asnums } = read.data;
  return {
    country: partition(rows(file, countries, (code) => code)),
    asnum: partition(rows(file, asnums, Number)),
  };
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : "not JSON"}`);
  }
}

/** An address has one country: a prefix that stands in two of them, or twice, is a mistake in the table. */
function rows<Value extends string | number>(
  file: string,
  table: Readonly<Record<string, readonly string[]>>,
  toValue: (name: string) => Value,
): readonly Located<Value>[] {
  const owners = new Map<string, string>();
  return Object.entries(table).flatMap(([name, prefixes]) =>
    prefixes.map((text) => {
      const parsed = parsePrefix(text);
      if (parsed.kind !== "prefix") throw new UsageError(`${file}: ${name}: "${text}" is not a prefix`);
      const key = `${parsed.prefix.family} ${parsed.prefix.base}/${parsed.prefix.length}`;
      const other = owners.get(key);
      if (other !== undefined) throw new UsageError(`${file}: ${text} stands in ${other} and in ${name}`);
      owners.set(key, name);
      return { prefix: parsed.prefix, value: toValue(name) };
    }),
  );
}

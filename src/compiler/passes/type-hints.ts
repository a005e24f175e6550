import { didYouMean } from "../diagnostics/did-you-mean.js";
import { FIELDS, type Field, isFieldName } from "../ir/fields.js";
import { FUNCTION_NAMES } from "../ir/functions.js";

/** What to write instead, where a comparison does not fit together. */

const NAMES = [...Object.keys(FIELDS), ...FUNCTION_NAMES];

/** For a field that there is not: the one that is nearly it, or else those of the same header. */
export function unknownFieldHint(name: string): string | undefined {
  const nearest = didYouMean(name, NAMES);
  if (nearest !== undefined) return nearest;
  const header = `${name.split(".")[0]}.`;
  const fields = NAMES.filter((one) => one.startsWith(header) && !isPart(one));
  return fields.length > 0 ? `there are ${fields.join(", ")}` : undefined;
}

/** `tcp.flags.syn` is a part of `tcp.flags`. */
function isPart(name: string): boolean {
  return isFieldName(name.slice(0, name.lastIndexOf(".")));
}

/** For a name that a number's value does not have. */
export function unknownNameHint(written: string, names: Readonly<Record<string, number>>): string {
  const known = Object.keys(names);
  return didYouMean(written, known) ?? `the names are ${known.join(", ")}`;
}

export function operatorHint(name: string, field: Field, operator: string): string {
  switch (field.type) {
    case "flag":
      return `write \`${name}\` or \`not ${name}\``;
    case "address":
      return `for a range of addresses write \`${name} in {LOW..HIGH}\``;
    case "number":
      if (operator === "&") return `\`${name}\` is no row of bits`;
      if (operator === "contains" || operator === "matches")
        return "only names can be searched, such as those of ip.proto; for numbers use a set or a range";
      return "names have no order: use == or !=";
    default:
      return "use ==, != or in";
  }
}

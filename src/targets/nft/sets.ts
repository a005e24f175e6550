import type { Family } from "../../compiler/ir/address.js";
import { prefixRange } from "../../compiler/ir/address.js";
import { type Expr, testsOf } from "../../compiler/ir/expr.js";
import { type Intervals, intervals } from "../../compiler/ir/intervals.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { listSet, prefixSet } from "./names.js";
import { spellAddresses } from "./spelling.js";

interface AddressSet {
  readonly name: string;
  readonly family: Family;
  readonly addresses: Intervals;
}

const FAMILIES = [4, 6] as const satisfies readonly Family[];

/** The customer's own prefixes. A family without any has an empty set, which holds no address. */
export function prefixSets(policy: Policy): readonly AddressSet[] {
  return FAMILIES.map((family) => ({
    name: prefixSet(family),
    family,
    addresses: intervals(
      policy.prefixes
        .filter(({ prefix }) => prefix.family === family)
        .map(({ prefix }) => prefixRange(prefix)),
    ),
  }));
}

/** The lists that the firewall asks for, each family by itself. */
export function listSets(policy: Policy): readonly AddressSet[] {
  const used = new Set(policy.firewall.rules.flatMap(({ match }) => setsIn(match)));
  return policy.lists
    .flatMap((list) =>
      FAMILIES.map((family) => ({ name: listSet(list.name, family), family, addresses: list[family] })),
    )
    .filter(({ name }) => used.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function setsIn(expr: Expr): readonly string[] {
  return testsOf(expr).flatMap((test) => (test.kind === "list" ? [listSet(test.list, test.family)] : []));
}

/** One element a line, in address order, so that a change of a list is a small diff. */
export function emitSet(text: Text, { name, family, addresses }: AddressSet): void {
  const elements = addresses.map(spellAddresses(family));
  text.line();
  text.block(`set ${name} {`, () => {
    text.line(`type ipv${family}_addr`);
    text.line("flags interval");
    if (elements.length === 0) return;
    text.block("elements = {", () => {
      text.lines(elements.map((element, i) => (i < elements.length - 1 ? `${element},` : element)));
    });
  });
}

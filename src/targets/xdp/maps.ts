import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Family } from "../../compiler/ir/address.js";
import { type Expr, testsOf } from "../../compiler/ir/expr.js";
import type { AddressList, Policy } from "../../compiler/ir/policy.js";
import { asked } from "./early.js";

/** A list in one family, as one LPM trie. */
export interface ListMap {
  readonly list: AddressList;
  readonly family: Family;
}

/** The passes let no other names through; nothing else may get into the C text, not even into a comment. */
export function isName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/.test(name);
}

/** A name of the policy as a part of a C identifier. Names have no `_`, so different names stay different. */
export function identifier(name: string): string {
  invariant(isName(name), `\`${name}\` is a checked name`);
  return name.replaceAll("-", "_");
}

export function listMap(list: string, family: Family): string {
  return `list_${identifier(list)}_${family}`;
}

export function limitMap(rule: string): string {
  return `limit_${identifier(rule)}`;
}

/** The lists that the program asks, in the policy's order: only these are maps of it. */
export function usedLists(policy: Policy): readonly ListMap[] {
  const used = new Set(asked(policy).flatMap(({ match }) => listsIn(match)));
  return policy.lists.flatMap((list) =>
    ([4, 6] as const)
      .filter((family) => used.has(listMap(list.name, family)))
      .map((family) => ({ list, family })),
  );
}

/** Names of the list maps that an expression asks. */
export function listsIn(expr: Expr): readonly string[] {
  return testsOf(expr).flatMap((test) => (test.kind === "list" ? [listMap(test.list, test.family)] : []));
}

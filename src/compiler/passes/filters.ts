import type { Filter } from "../../dsl/filter/ast.js";
import type { SurfacePolicy, SurfaceRule } from "../../dsl/surface.js";

/** A filter that asks about one field. */
export type Comparison = Extract<Filter, { readonly field: unknown }>;

export type UnknownPart = Extract<Filter, { readonly kind: "unknown" }>;

/** All comparisons of a filter, in the order in which they are written. */
export function comparisons(filter: Filter): readonly Comparison[] {
  return leaves(filter).filter((leaf) => leaf.kind !== "unknown");
}

/** The parts of a filter that could not be read; a rule that has one is not built. */
export function unknownParts(filter: Filter): readonly UnknownPart[] {
  return leaves(filter).filter((leaf) => leaf.kind === "unknown");
}

function leaves(filter: Filter): readonly (Comparison | UnknownPart)[] {
  switch (filter.kind) {
    case "and":
    case "or":
    case "xor":
      return filter.operands.flatMap(leaves);
    case "not":
      return leaves(filter.operand);
    default:
      return [filter];
  }
}

/** The rules of both stages, in the order in which packets meet them. */
export function allRules(surface: SurfacePolicy): readonly SurfaceRule[] {
  return [...surface.mitigate, ...surface.firewall.rules];
}

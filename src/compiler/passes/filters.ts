import type { Filter } from "../../dsl/filter/ast.js";
import type { SurfacePolicy, SurfaceRule } from "../../dsl/surface.js";

/** A filter that asks about one field. */
export type Comparison = Extract<Filter, { readonly field: unknown }>;

export type UnknownPart = Extract<Filter, { readonly kind: "unknown" }>;

/** All comparisons of a filter, in the order in which they are written. */
export function comparisons(filter: Filter): readonly Comparison[] {
  switch (filter.kind) {
    case "and":
    case "or":
    case "xor":
      return filter.operands.flatMap(comparisons);
    case "not":
      return comparisons(filter.operand);
    case "unknown":
      return [];
    default:
      return [filter];
  }
}

/** The parts of a filter that could not be read; a rule that has one is not built. */
export function unknownParts(filter: Filter): readonly UnknownPart[] {
  switch (filter.kind) {
    case "and":
    case "or":
    case "xor":
      return filter.operands.flatMap(unknownParts);
    case "not":
      return unknownParts(filter.operand);
    case "unknown":
      return [filter];
    default:
      return [];
  }
}

/** The rules of both stages, in the order in which packets meet them. */
export function allRules(surface: SurfacePolicy): readonly SurfaceRule[] {
  return [...surface.mitigate, ...surface.firewall.rules];
}

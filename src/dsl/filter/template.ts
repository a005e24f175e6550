import type { SourceFile } from "../../compiler/diagnostics/span.js";
import type { SurfaceList } from "../surface.js";
import type { Filter, Operand } from "./ast.js";

/** What an interpolation puts into an expression: a typed value, never text. */
export type Interpolated =
  | { readonly kind: "scalar"; readonly operand: Operand }
  | { readonly kind: "array"; readonly items: readonly Operand[] }
  | { readonly kind: "list"; readonly list: SurfaceList }
  | { readonly kind: "filter"; readonly filter: Filter }
  /** A value that could not be read; what is wrong with it is already reported. */
  | { readonly kind: "unknown" };

/** One `${…}`, from the dollar sign to the closing brace. */
export interface Hole {
  readonly start: number;
  readonly end: number;
  readonly value: Interpolated;
}

/** What stands between the backticks of expr`…`; offsets are those of the source file. */
export interface FilterTemplate {
  readonly source: SourceFile;
  readonly start: number;
  readonly end: number;
  readonly holes: readonly Hole[];
}

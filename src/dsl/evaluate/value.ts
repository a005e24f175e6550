import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Span, Spanned } from "../../compiler/diagnostics/span.js";
import type { Filter } from "../filter/ast.js";
import type { SurfaceEdge, SurfaceList, SurfacePolicy, SurfaceRule, SurfaceTunnel } from "../surface.js";
import type { Evaluation } from "./evaluation.js";
import type { Native } from "./methods/native.js";

/** Where a value comes from. */
interface Origin {
  /** The place that the value was written at. */
  readonly span: Span;
  /** The place that mentions it by name, when that is another one. */
  readonly via?: Span;
}

export type ScalarValue =
  | (Origin & {
      readonly kind: "string";
      readonly value: string;
      /** What stands between the quotes is the value, character by character. */
      readonly verbatim?: boolean;
    })
  | (Origin & { readonly kind: "number"; readonly value: number })
  | (Origin & { readonly kind: "boolean"; readonly value: boolean })
  | (Origin & { readonly kind: "null" })
  | (Origin & {
      readonly kind: "undefined";
      /** What `?.` gives behind null or undefined, up to the end of its chain (ECMA-262, 13.3.9). */
      readonly skipped?: boolean;
    });

export type ArrayValue = Origin & { readonly kind: "array"; readonly items: readonly Value[] };

export interface PropertyValue {
  /** The property's name where it was written. */
  readonly key: Span;
  readonly value: Value;
}

/** Properties in the order written. A Map, so that no name reaches JavaScript's own prototypes. */
export type ObjectValue = Origin & {
  readonly kind: "object";
  readonly properties: ReadonlyMap<string, PropertyValue>;
  /** Some part could not be read, which is reported: that a property is missing is no second mistake. */
  readonly partial?: boolean;
};

/** One call of a function of "tidegate". */
export interface Call extends Spanned {
  readonly callee: Span;
  readonly args: readonly Value[];
}

/** The name of a list that no constant holds. */
export const UNNAMED_LIST = "list";

/** A name of "tidegate" that can be called; `expr` alone is a template tag. */
export type BuiltinName = "policy" | "edge" | "list" | "expr" | "gre" | "ipip" | SurfaceRule["action"];
export type BuiltinValue = Origin & { readonly kind: "builtin"; readonly name: BuiltinName };

/** A function that the author wrote, with the scope that it was written in. */
export interface UserFunction {
  readonly name: string | null;
  readonly node: TSESTree.ArrowFunctionExpression | TSESTree.FunctionDeclaration;
  readonly run: Evaluation;
}

/** What can be called. A `native` is a function or namespace of JavaScript: `Object.keys`, `Math`. */
export type FunctionValue =
  | BuiltinValue
  | (Origin & { readonly kind: "function"; readonly fn: UserFunction })
  | (Origin & { readonly kind: "native"; readonly native: Native });

/** What the functions of "tidegate" make. */
export type MadeValue =
  | (Origin & { readonly kind: "list"; readonly list: SurfaceList })
  | (Origin & { readonly kind: "filter"; readonly filter: Filter })
  /** A rule whose parts could not all be read is null: it is reported, and left out. */
  | (Origin & { readonly kind: "rule"; readonly rule: SurfaceRule | null })
  | (Origin & { readonly kind: "tunnel"; readonly tunnel: Omit<SurfaceTunnel, "name"> })
  | (Origin & { readonly kind: "policy"; readonly policy: SurfacePolicy })
  | (Origin & { readonly kind: "edge"; readonly edge: SurfaceEdge });

/** Stands for what could not be read. What is wrong is reported; whoever meets it stays silent. */
export type ErrorValue = Origin & { readonly kind: "error" };

export type Value = ScalarValue | ArrayValue | ObjectValue | FunctionValue | MadeValue | ErrorValue;

export function errorValue(span: Span): ErrorValue {
  return { kind: "error", span };
}

const KIND_NAMES: Readonly<Record<Value["kind"], string>> = {
  string: "a string",
  number: "a number",
  boolean: "a boolean",
  null: "null",
  undefined: "undefined",
  array: "an array",
  object: "an object",
  builtin: "a function",
  function: "a function",
  native: "a function",
  list: "a list",
  filter: "an expression",
  rule: "a rule",
  tunnel: "a tunnel",
  policy: "a policy",
  edge: "an edge",
  error: "an error",
};

/** What a value is, in the words of messages: "a string". */
export function describe(value: Value): string {
  return KIND_NAMES[value.kind];
}

/** Where to report that a value does not fit, and where it was written if that is elsewhere. */
export function placesOf(value: Value): { span: Span; related: readonly { span: Span; text: string }[] } {
  if (!value.via) return { span: value.span, related: [] };
  return { span: value.via, related: [{ span: value.span, text: "the value is written here" }] };
}

export function isFunction(value: Value): value is FunctionValue {
  return value.kind === "function" || value.kind === "native" || value.kind === "builtin";
}

export function isMissing(value: Value): boolean {
  return value.kind === "undefined" || value.kind === "null";
}

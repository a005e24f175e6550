import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { isExprTemplate, isNode } from "./expr-templates.js";
import type { Filter } from "./filter/ast.js";
import type { ModuleSyntax } from "./syntax.js";

/**
 * Whether two modules say the same, whatever their layout: the same statements and values, and the same
 * expressions. Types are left out, as the evaluator leaves them out.
 */
export function sameMeaning(one: ModuleSyntax, other: ModuleSyntax): boolean {
  return textOf(one) === textOf(other);
}

/** Where things stand and how they are spelled, and what only the type checker reads. */
const LEFT_OUT = new Set([
  ...["parent", "range", "loc", "raw", "directive"],
  ...["typeAnnotation", "returnType", "typeParameters", "typeArguments"],
]);
const TYPES = new Set(["TSTypeAliasDeclaration", "TSInterfaceDeclaration"]);

/** A module's tree as text, the same for all layouts. */
function textOf({ program, exprNames, expressions }: ModuleSyntax): string {
  return JSON.stringify([bare(program.body, exprNames), expressions.map(expressionText)]);
}

/** The values of interpolations are in the module's tree; here they are only places. */
function expressionText(filter: Filter): string {
  return JSON.stringify(filter, (key, value) => {
    if (key === "span") return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });
}

function bare(value: unknown, exprNames: ReadonlySet<string>): unknown {
  const inside = (part: unknown) => bare(part, exprNames);
  if (Array.isArray(value)) return value.filter((item) => item?.type !== "EmptyStatement").map(inside);
  if (typeof value === "bigint") return `${value}n`;
  if (!isNode(value)) return value instanceof RegExp ? String(value) : value;
  if (TYPES.has(value.type)) return value.type;
  if (isExprTemplate(value, exprNames)) return ["expr", value.quasi.expressions.map(inside)];
  // `a && (b && c)` is `a && b && c`.
  if (value.type === "LogicalExpression") return [value.operator, operandsOf(value).map(inside)];
  const parts = Object.entries(value).filter(([key]) => !LEFT_OUT.has(key));
  return parts.map(([key, part]) => [key, key === "key" ? keyName(value, part, inside) : inside(part)]);
}

function operandsOf(node: TSESTree.LogicalExpression): readonly TSESTree.Node[] {
  return [node.left, node.right].flatMap((side) =>
    side.type === "LogicalExpression" && side.operator === node.operator ? operandsOf(side) : [side],
  );
}

/** `{ "a": 1 }` is `{ a: 1 }`. */
function keyName(owner: TSESTree.Node, key: unknown, inside: (part: unknown) => unknown): unknown {
  if (!isNode(key) || ("computed" in owner && owner.computed)) return inside(key);
  if (key.type === "Identifier") return key.name;
  return key.type === "Literal" ? String(key.value) : inside(key);
}

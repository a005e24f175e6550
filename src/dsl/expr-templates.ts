import type { TSESTree } from "@typescript-eslint/typescript-estree";

/** The names that a module gives to `expr` of "tidegate"; one, unless it renames it or never imports it. */
export function exprNames(program: TSESTree.Program): ReadonlySet<string> {
  const specifiers = program.body.flatMap((statement) =>
    statement.type === "ImportDeclaration" && statement.source.value === "tidegate"
      ? statement.specifiers
      : [],
  );
  return new Set(specifiers.filter(importsExpr).map(({ local }) => local.name));
}

function importsExpr(specifier: TSESTree.ImportClause): boolean {
  if (specifier.type !== "ImportSpecifier") return false;
  const { imported } = specifier;
  return (imported.type === "Identifier" ? imported.name : imported.value) === "expr";
}

/** Every expr`…` of a module, the outer ones before those in their interpolations. */
export function exprTemplates(program: TSESTree.Program): readonly TSESTree.TaggedTemplateExpression[] {
  const names = exprNames(program);
  const found: TSESTree.TaggedTemplateExpression[] = [];
  const visit = (node: TSESTree.Node): void => {
    if (isExprTemplate(node, names)) found.push(node);
    for (const child of childrenOf(node)) visit(child);
  };
  visit(program);
  return found;
}

/** Whether a node is expr`…`, under one of its names. */
export function isExprTemplate(
  node: TSESTree.Node,
  names: ReadonlySet<string>,
): node is TSESTree.TaggedTemplateExpression {
  return (
    node.type === "TaggedTemplateExpression" && node.tag.type === "Identifier" && names.has(node.tag.name)
  );
}

export function childrenOf(node: TSESTree.Node): readonly TSESTree.Node[] {
  return Object.entries(node)
    .filter(([key]) => key !== "parent")
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}

export function isNode(value: unknown): value is TSESTree.Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Where the interpolations of a template stand, from each dollar sign to the closing brace. */
export function holesOf(template: TSESTree.TemplateLiteral): readonly { start: number; end: number }[] {
  // A quasi's range reaches from its opening ` or } to its closing ` or ${.
  return template.quasis.slice(1).map((quasi, index) => ({
    start: (template.quasis[index]?.range[1] ?? 0) - "${".length,
    end: quasi.range[0] + "}".length,
  }));
}

import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../../compiler/diagnostics/span.js";
import { Evaluation } from "./evaluation.js";
import { readImport } from "./imports.js";
import { namesIn } from "./patterns.js";
import { readStatement } from "./statements.js";
import type { Value } from "./value.js";

/** Reads a module from top to bottom; its meaning is the value of its default export, if it has one. */
export function evaluateModule(
  program: TSESTree.Program,
  source: SourceFile,
  diagnostics: Diagnostics,
): Value | undefined {
  const run = new Evaluation(source, diagnostics);
  for (const name of program.body.flatMap(declaredNames)) run.scope.announce(name);
  // Imports are hoisted (ECMA-262, 16.2.1.6): their place in the file has no meaning.
  for (const node of program.body) if (node.type === "ImportDeclaration") readImport(node, run);

  let exported: { readonly value: Value; readonly node: TSESTree.Node } | undefined;
  for (const node of program.body) {
    if (node.type !== "ExportDefaultDeclaration") readStatement(node, run);
    else if (exported) {
      const related = [{ span: run.spanOf(exported.node), text: "the first one is here" }];
      run.refuse("TG1051", node, {}, { related });
    } else exported = { value: evaluateExport(node, run), node };
  }
  return exported?.value;
}

function evaluateExport({ declaration }: TSESTree.ExportDefaultDeclaration, run: Evaluation): Value {
  switch (declaration.type) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "ClassDeclaration":
    case "VariableDeclaration":
    case "TSEnumDeclaration":
    case "TSInterfaceDeclaration":
    case "TSModuleDeclaration":
    case "TSTypeAliasDeclaration": {
      const hint = "write `export default policy({…})`";
      return run.refuse("TG1030", declaration, { what: "an exported declaration" }, { hint });
    }
    default:
      return run.evaluate(declaration);
  }
}

function declaredNames(node: TSESTree.ProgramStatement): readonly string[] {
  const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
  return declaration?.type === "VariableDeclaration"
    ? declaration.declarations.flatMap(({ id }) => namesIn(id))
    : [];
}

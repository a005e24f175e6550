import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { SourceFile } from "../../compiler/diagnostics/span.js";
import { Evaluation } from "./evaluation.js";
import { ExportTable, readExportAll, readExportList } from "./exports.js";
import { readImport } from "./imports.js";
import { type Exports, NodeSpans, type Reading } from "./reading.js";
import { announceDeclared, declareFunctions, readStatement } from "./statements.js";
import type { Value } from "./value.js";

/** Reads a module from top to bottom; its meaning is what it exports. */
export function evaluateModule(program: TSESTree.Program, source: SourceFile, reading: Reading): Exports {
  const run = new Evaluation(reading, new NodeSpans(source));
  const exported = new ExportTable(run);
  announceDeclared(program.body, run);
  declareFunctions(program.body, run);
  // Imports are hoisted (ECMA-262, 16.2.1.6): their place in the file has no meaning.
  for (const node of program.body) if (node.type === "ImportDeclaration") readImport(node, run);
  for (const node of program.body) readModuleItem(node, exported, run);
  return exported.resolve();
}

function readModuleItem(node: TSESTree.ProgramStatement, exported: ExportTable, run: Evaluation): void {
  switch (node.type) {
    case "ExportDefaultDeclaration":
      exported.addDefault(node, evaluateExport(node, run));
      break;
    case "ExportNamedDeclaration":
      if (node.declaration) readStatement(node.declaration as TSESTree.ProgramStatement, run);
      readExportList(node, exported, run);
      break;
    case "ExportAllDeclaration":
      readExportAll(node, exported, run);
      break;
    default:
      readStatement(node, run);
  }
}

function evaluateExport({ declaration }: TSESTree.ExportDefaultDeclaration, run: Evaluation): Value | null {
  switch (declaration.type) {
    // A type has no value.
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return null;
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "ClassDeclaration":
    case "VariableDeclaration":
    case "TSEnumDeclaration":
    case "TSModuleDeclaration": {
      const hint = "write `export default policy({…})`";
      return run.refuse("TG1030", declaration, { what: "an exported declaration" }, { hint });
    }
    default:
      return run.evaluate(declaration);
  }
}

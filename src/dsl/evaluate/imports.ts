import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { BUILTIN_NAMES, PLANNED_NAMES, TYPE_NAMES } from "../builtins/index.js";
import type { Evaluation } from "./evaluation.js";
import { declare } from "./patterns.js";
import { errorValue, type Value } from "./value.js";

/** `import { policy, drop } from "tidegate"`; imports of types say nothing. */
export function readImport(node: TSESTree.ImportDeclaration, run: Evaluation): void {
  if (node.importKind === "type") return;
  const module = node.source.value;
  if (module !== "tidegate") {
    const isRelative = module.startsWith("./") || module.startsWith("../");
    run.refuse(isRelative ? "TG1010" : "TG1011", node.source, { module });
    for (const { local } of node.specifiers) declare(local, errorValue(run.spanOf(local)), run);
    return;
  }
  for (const specifier of node.specifiers) readSpecifier(specifier, run);
}

function readSpecifier(specifier: TSESTree.ImportClause, run: Evaluation): void {
  if (specifier.type !== "ImportSpecifier") {
    const hint = 'write `import { policy, drop, expr } from "tidegate"`';
    declare(specifier.local, run.refuse("TG1013", specifier, {}, { hint }), run);
    return;
  }
  const { imported } = specifier;
  const name = imported.type === "Identifier" ? imported.name : imported.value;
  if (specifier.importKind !== "type" && !TYPE_NAMES.has(name)) {
    declare(specifier.local, exported(name, imported, run), run);
  }
}

function exported(name: string, node: TSESTree.Node, run: Evaluation): Value {
  const builtin = BUILTIN_NAMES.find((one) => one === name);
  if (builtin) return { kind: "builtin", name: builtin, span: run.spanOf(node) };
  if (PLANNED_NAMES.has(name)) return run.refuse("TG1014", node, { name });
  return run.refuse("TG1012", node, { name }, { hint: didYouMean(name, BUILTIN_NAMES) });
}

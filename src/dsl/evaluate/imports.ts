import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { BUILTIN_NAMES, TYPE_NAMES } from "../builtins/index.js";
import type { Evaluation } from "./evaluation.js";
import { nameOf } from "./exports.js";
import { loadModule } from "./load.js";
import { declare } from "./patterns.js";
import type { Exports } from "./reading.js";
import { errorValue, type PropertyValue, type Value } from "./value.js";

/** What stands behind `from`. */
export type From =
  | { readonly kind: "tidegate" }
  | { readonly kind: "module"; readonly module: string; readonly exports: Exports }
  /** It could not be read, which is reported. */
  | { readonly kind: "unread" };

type WithSource =
  | TSESTree.ImportDeclaration
  | TSESTree.ExportNamedDeclaration
  | TSESTree.ExportAllDeclaration;

/** `import { policy, drop } from "tidegate"`, `import lists from "./lists.json"`; imports of types say nothing. */
export function readImport(node: TSESTree.ImportDeclaration, run: Evaluation): void {
  if (node.importKind === "type") return;
  const specifiers = node.specifiers.filter((one) => !isTypeImport(one));
  // An import without names is read for its mistakes; one of types alone leaves nothing behind in JavaScript.
  if (specifiers.length === 0 && node.specifiers.length > 0) return;
  const from = readModuleOf(node, run);
  for (const specifier of specifiers) readSpecifier(specifier, from, run);
}

function isTypeImport(specifier: TSESTree.ImportClause): boolean {
  return specifier.type === "ImportSpecifier" && specifier.importKind === "type";
}

function readSpecifier(specifier: TSESTree.ImportClause, from: From, run: Evaluation): void {
  switch (specifier.type) {
    case "ImportSpecifier": {
      const name = nameOf(specifier.imported);
      if (from.kind === "tidegate" && TYPE_NAMES.has(name)) return;
      declare(specifier.local, importedValue(from, name, specifier.imported, run), run);
      break;
    }
    case "ImportDefaultSpecifier":
      declare(specifier.local, importedValue(from, "default", specifier, run), run);
      break;
    case "ImportNamespaceSpecifier":
      declare(specifier.local, importedValue(from, "*", specifier, run), run);
      break;
  }
}

/** One export of a module by its name, `*` for all of them as an object. */
export function importedValue(from: From, name: string, node: TSESTree.Node, run: Evaluation): Value {
  switch (from.kind) {
    case "unread":
      return errorValue(run.spanOf(node));
    case "tidegate":
      return name === "*" || name === "default" ? refuseWhole(node, run) : builtin(name, node, run);
    case "module":
      return name === "*" ? namespace(from, node, run) : named(from, name, node, run);
  }
}

function refuseWhole(node: TSESTree.Node, run: Evaluation): Value {
  return run.refuse("TG1013", node, {}, { hint: 'write `import { policy, drop, expr } from "tidegate"`' });
}

function builtin(name: string, node: TSESTree.Node, run: Evaluation): Value {
  const known = BUILTIN_NAMES.find((one) => one === name);
  if (known) return { kind: "builtin", name: known, span: run.spanOf(node) };
  return run.refuse("TG1012", node, { name }, { hint: didYouMean(name, BUILTIN_NAMES) });
}

function named(from: From & { kind: "module" }, name: string, node: TSESTree.Node, run: Evaluation): Value {
  const value = from.exports.get(name);
  if (value) return value;
  const { module } = from;
  if (name === "default") {
    const hint = "import by names: `import { name } from …`";
    return run.refuse("TG1018", node, { module, what: "default export" }, { hint });
  }
  const onlyDefault = from.exports.size === 1 && from.exports.has("default");
  const hint = onlyDefault
    ? `it has a default export: write \`import ${/^\w+$/.test(name) ? name : "data"} from …\``
    : didYouMean(name, from.exports.keys());
  return run.refuse("TG1018", node, { module, what: `export \`${name}\`` }, { hint });
}

function namespace({ exports }: From & { kind: "module" }, node: TSESTree.Node, run: Evaluation): Value {
  const properties = new Map<string, PropertyValue>();
  // JavaScript sorts the names by their code units (ECMA-262, 10.4.6.12), which is what `<` compares.
  const sorted = [...exports].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of sorted) properties.set(name, { key: value.span, value });
  return { kind: "object", properties, span: run.spanOf(node) };
}

/** What a declaration imports or exports from; a module is read when it is first met. */
export function readModuleOf(node: WithSource, run: Evaluation): From {
  const { source } = node;
  if (source === null) return { kind: "unread" };
  const module = source.value;
  if (!checkAttributes(node, module, run)) return { kind: "unread" };
  if (module === "tidegate") return { kind: "tidegate" };
  if (!module.startsWith("./") && !module.startsWith("../")) {
    run.refuse("TG1011", source, { module }, { hint: hintForPackage(module) });
    return { kind: "unread" };
  }
  const exports = loadModule(module, source, run);
  return exports ? { kind: "module", module, exports } : { kind: "unread" };
}

function hintForPackage(module: string): string | undefined {
  if (/^[\w-]+(?:\/[\w-]+)*\.(?:js|ts|json)$/.test(module))
    return `for a file of this folder, write "./${module}"`;
  return didYouMean(module, ["tidegate"]);
}

/** `with { type: "json" }` says what the file's name says; other attributes have no meaning here. */
function checkAttributes(node: WithSource, module: string, run: Evaluation): boolean {
  const wrong = node.attributes.find(({ key, value }) => {
    const isType = (key.type === "Identifier" ? key.name : key.value) === "type";
    return !(isType && value.value === "json" && module.endsWith(".json"));
  });
  if (!wrong) return true;
  const hint = module.endsWith(".json") ? 'write `with { type: "json" }`, or nothing' : "leave it out";
  run.refuse("TG1030", wrong, { what: "this import attribute" }, { hint });
  return false;
}

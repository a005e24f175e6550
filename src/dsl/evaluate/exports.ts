import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { importedValue, readModuleOf } from "./imports.js";
import { evaluateIdentifier } from "./names.js";
import { identifiersIn } from "./patterns.js";
import type { Exports } from "./reading.js";
import type { Value } from "./value.js";

interface Export {
  readonly node: TSESTree.Node;
  /** Local names have their values only when the module is read to its end. */
  readonly value: () => Value;
}

/** What a module exports, gathered while it is read. */
export class ExportTable {
  readonly #own = new Map<string, Export>();
  /** By `export * from`: the module's own exports come before them (ECMA-262, 16.2.1.6.3). */
  readonly #passedOn = new Map<string, Export>();

  constructor(readonly run: Evaluation) {}

  add(name: string, node: TSESTree.Node, value: () => Value): void {
    this.#put(this.#own, name, { node, value });
  }

  addDefault(node: TSESTree.ExportDefaultDeclaration, value: Value | null): void {
    const before = this.#own.get("default");
    if (before) {
      const related = [{ span: this.run.spanOf(before.node), text: "the first one is here" }];
      this.run.refuse("TG1051", node, {}, { related });
    } else if (value) this.#own.set("default", { node, value: () => value });
  }

  passOn(name: string, node: TSESTree.Node, value: Value): void {
    if (name !== "default") this.#put(this.#passedOn, name, { node, value: () => value });
  }

  resolve(): Exports {
    const all = new Map([...this.#passedOn, ...this.#own]);
    return new Map([...all].map(([name, { value }]) => [name, value()]));
  }

  #put(table: Map<string, Export>, name: string, added: Export): void {
    const before = table.get(name);
    if (before) {
      const related = [{ span: this.run.spanOf(before.node), text: "first exported here" }];
      this.run.refuse("TG1057", added.node, { name }, { related });
    } else table.set(name, added);
  }
}

/** `export const a`, `export function f`, `export { a, b as c }`, and the last one with `from`. */
export function readExportList(
  node: TSESTree.ExportNamedDeclaration,
  exported: ExportTable,
  run: Evaluation,
): void {
  if (node.exportKind === "type") return;
  for (const id of declaredIn(node.declaration)) exported.add(id.name, id, () => evaluateIdentifier(id, run));
  const specifiers = node.specifiers.filter(({ exportKind }) => exportKind !== "type");
  const from = node.source && specifiers.length > 0 ? readModuleOf(node, run) : null;
  for (const { local, exported: name } of specifiers) {
    const read = () =>
      from
        ? importedValue(from, nameOf(local), local, run)
        : evaluateIdentifier(local as TSESTree.Identifier, run);
    exported.add(nameOf(name), name, read);
  }
}

function declaredIn(
  declaration: TSESTree.ExportNamedDeclaration["declaration"],
): readonly TSESTree.Identifier[] {
  switch (declaration?.type) {
    case "VariableDeclaration":
      return declaration.declarations.flatMap(({ id }) => identifiersIn(id));
    case "FunctionDeclaration":
      return declaration.id ? [declaration.id] : [];
    default:
      return [];
  }
}

/** `export * from "./x.js"` passes on everything but the default export, `export * as name` makes one object of it. */
export function readExportAll(
  node: TSESTree.ExportAllDeclaration,
  exported: ExportTable,
  run: Evaluation,
): void {
  if (node.exportKind === "type") return;
  const from = readModuleOf(node, run);
  if (node.exported) {
    const { exported: name } = node;
    exported.add(nameOf(name), name, () => importedValue(from, "*", node, run));
  } else if (from.kind === "module") {
    for (const [name, value] of from.exports) exported.passOn(name, node, value);
  } else if (from.kind === "tidegate") importedValue(from, "*", node, run);
}

/** The name in `export { name }` or `import { name }`; ECMAScript allows a text there too. */
export function nameOf(node: TSESTree.Identifier | TSESTree.StringLiteral): string {
  return node.type === "Identifier" ? node.name : node.value;
}

import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import type { Evaluation } from "./evaluation.js";
import { INHERITED, isInherited } from "./members.js";
import { propertyName } from "./property-names.js";
import { describe, errorValue, type ObjectValue, type PropertyValue, type Value } from "./value.js";

/** Gives the names of a `const` declaration or a parameter their values: one name, or the parts of an object or array. */
export function bind(target: TSESTree.Node, value: Value, run: Evaluation): void {
  const done = run.reading.nested(() => {
    bindPart(target, value, run);
    return true;
  });
  if (!done) run.refuse("TG1002", target, {});
}

function bindPart(target: TSESTree.Node, value: Value, run: Evaluation): void {
  switch (target.type) {
    case "Identifier":
      if (target.name === "this")
        run.refuse("TG1030", target, { what: "`this`" }, { hint: "use a parameter" });
      else declare(target, value, run);
      break;
    case "AssignmentPattern":
      bind(target.left, value.kind === "undefined" ? run.evaluate(target.right) : value, run);
      break;
    case "ObjectPattern":
      checkParts(target, "an object", value, run);
      bindProperties(target, value, run);
      break;
    case "ArrayPattern":
      checkParts(target, "an array", value, run);
      bindItems(target, value, run);
      break;
    default: {
      const hint = "declare each name with its own `const`";
      run.refuse("TG1030", target, { what: "this pattern" }, { hint });
    }
  }
}

/** Gives one name its value. */
export function declare(name: TSESTree.Identifier, value: Value, run: Evaluation): void {
  const before = run.scope.declare(name.name, value, run.spanOf(name));
  if (!before) return;
  const related = [{ span: before, text: "first declared here" }];
  run.refuse("TG1022", name, { name: name.name }, { related });
}

function checkParts(
  node: TSESTree.Node,
  pattern: "an object" | "an array",
  value: Value,
  run: Evaluation,
): void {
  const fits = describe(value) === pattern || value.kind === "error";
  if (!fits) run.refuse("TG1046", node, { found: describe(value), pattern });
}

function bindProperties(pattern: TSESTree.ObjectPattern, value: Value, run: Evaluation): void {
  const taken = new Set<string>();
  for (const part of pattern.properties) {
    if (part.type === "RestElement") {
      bind(part.argument, restOf(value, taken, part, run), run);
      continue;
    }
    const name = propertyName(part, run);
    if (name !== undefined) taken.add(name);
    const found = name === undefined ? errorValue(run.spanOf(part)) : propertyFor(part, name, value, run);
    bind(part.value, found, run);
  }
}

function restOf(
  value: Value,
  taken: ReadonlySet<string>,
  node: TSESTree.RestElement,
  run: Evaluation,
): Value {
  const span = run.spanOf(node);
  if (value.kind !== "object" || !run.spend(value.properties.size, span)) return errorValue(span);
  const properties = new Map<string, PropertyValue>();
  for (const [name, property] of value.properties) if (!taken.has(name)) properties.set(name, property);
  return { ...value, properties } satisfies ObjectValue;
}

function propertyFor(part: TSESTree.Property, name: string, object: Value, run: Evaluation): Value {
  if (object.kind !== "object") return errorValue(run.spanOf(part));
  const property = object.properties.get(name);
  if (property) return property.value;
  if (object.partial) return errorValue(run.spanOf(part));
  const inherited = isInherited(object, name);
  if (part.value.type === "AssignmentPattern" && !inherited) {
    return { kind: "undefined", span: run.spanOf(part) };
  }
  const missing = inherited ? INHERITED : `if it may be missing, give it a default: \`${name} = …\``;
  const hint = didYouMean(name, object.properties.keys()) ?? missing;
  return run.refuse("TG1041", part.key, { object: describe(object), property: name }, { hint });
}

function bindItems(pattern: TSESTree.ArrayPattern, value: Value, run: Evaluation): void {
  pattern.elements.forEach((element, index) => {
    if (element?.type === "RestElement") {
      const items = value.kind === "array" ? value.items.slice(index) : [];
      const span = run.spanOf(element);
      const isRead = value.kind === "array" && run.spend(items.length, span);
      bind(element.argument, isRead ? { kind: "array", items, span: value.span } : errorValue(span), run);
    } else if (element) bind(element, itemFor(element, index, value, run), run);
  });
}

function itemFor(element: TSESTree.Node, index: number, array: Value, run: Evaluation): Value {
  if (array.kind !== "array") return errorValue(run.spanOf(element));
  const item = array.items[index];
  if (item) return item;
  if (element.type === "AssignmentPattern") return { kind: "undefined", span: run.spanOf(element) };
  return run.refuse("TG1041", element, { object: describe(array), property: index });
}

/** Whether a parameter may be left out. */
export function isOptional(param: TSESTree.Node): boolean {
  return (
    param.type === "AssignmentPattern" ||
    param.type === "RestElement" ||
    (param.type === "Identifier" && param.optional)
  );
}

/** All names that a pattern declares. */
export function namesIn(target: TSESTree.Node): readonly string[] {
  return identifiersIn(target).map(({ name }) => name);
}

export function identifiersIn(target: TSESTree.Node): readonly TSESTree.Identifier[] {
  switch (target.type) {
    case "Identifier":
      return [target];
    case "ObjectPattern":
      return target.properties.flatMap((part) => identifiersIn(part.type === "Property" ? part.value : part));
    case "ArrayPattern":
      return target.elements.flatMap((element) => (element ? identifiersIn(element) : []));
    case "AssignmentPattern":
      return identifiersIn(target.left);
    case "RestElement":
      return identifiersIn(target.argument);
    default:
      return [];
  }
}

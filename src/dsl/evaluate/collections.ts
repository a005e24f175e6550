import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { describe, errorValue, type PropertyValue, type Value } from "./value.js";

export function evaluateArray(node: TSESTree.ArrayExpression, run: Evaluation): Value {
  const span = run.spanOf(node);
  const items: Value[] = [];
  for (const element of node.elements) {
    if (element === null) {
      run.refuse("TG1030", node, { what: "an array with a hole" }, { hint: "write every item" });
    } else if (element.type === "SpreadElement") {
      for (const item of spreadItems(element, run)) items.push(item);
    } else items.push(run.evaluate(element));
  }
  return { kind: "array", items, span };
}

/** The items that `...value` adds to an array or to arguments. */
export function spreadItems(element: TSESTree.SpreadElement, run: Evaluation): readonly Value[] {
  const value = run.evaluate(element.argument);
  const span = run.spanOf(element);
  switch (value.kind) {
    case "array":
      return run.spend(value.items.length, span) ? value.items : [];
    case "error":
      return [value];
    default: {
      const hint =
        value.kind === "list"
          ? "keep the items in an array constant and spread that into both lists"
          : undefined;
      return [run.refuse("TG1043", element, { found: describe(value), target: "an array" }, { hint })];
    }
  }
}

export function evaluateObject(node: TSESTree.ObjectExpression, run: Evaluation): Value {
  const properties = new Map<string, PropertyValue>();
  /** Names written in this literal itself, and not replaced by a spread behind them. */
  const written = new Map<string, PropertyValue>();
  for (const part of node.properties) {
    if (part.type === "SpreadElement") {
      for (const [name, property] of spreadProperties(part, run)) {
        const before = written.get(name);
        if (before) reportReplaced(part, name, before, run);
        written.delete(name);
        properties.set(name, property);
      }
      continue;
    }
    const name = propertyName(part, run);
    const value = propertyValue(part, run);
    if (name === undefined) continue;
    const property = { key: run.spanOf(part.key), value };
    const before = written.get(name);
    if (before) reportTwice(part, name, before, run);
    written.set(name, property);
    properties.set(name, property);
  }
  return { kind: "object", properties, span: run.spanOf(node) };
}

function reportTwice(node: TSESTree.Property, name: string, before: PropertyValue, run: Evaluation): void {
  const related = [{ span: before.key, text: "first written here" }];
  run.refuse("TG1044", node.key, { name }, { related });
}

function reportReplaced(
  node: TSESTree.SpreadElement,
  name: string,
  before: PropertyValue,
  run: Evaluation,
): void {
  const related = [{ span: run.spanOf(node), text: "replaced here" }];
  run.diagnostics.report("TG1044", before.key, { name }, { related });
}

function spreadProperties(
  element: TSESTree.SpreadElement,
  run: Evaluation,
): ReadonlyMap<string, PropertyValue> {
  const value = run.evaluate(element.argument);
  if (value.kind === "object" && run.spend(value.properties.size, run.spanOf(element)))
    return value.properties;
  if (value.kind !== "object" && value.kind !== "error") {
    run.refuse("TG1043", element, { found: describe(value), target: "an object" });
  }
  return new Map();
}

function propertyName(node: TSESTree.Property, run: Evaluation): string | undefined {
  const name = node.computed ? computedName(node.key, run) : plainName(node.key);
  // In JavaScript a `__proto__` in a literal sets the prototype and adds no property.
  if (name !== "__proto__") return name;
  run.refuse("TG1045", node.key, { name });
  return undefined;
}

function plainName(key: TSESTree.PropertyName): string | undefined {
  if (key.type === "Identifier") return key.name;
  return key.type === "Literal" ? String(key.value) : undefined;
}

function computedName(key: TSESTree.PropertyName, run: Evaluation): string | undefined {
  if (key.type === "PrivateIdentifier") return undefined;
  const value = run.evaluate(key);
  if (value.kind === "string" || value.kind === "number") return String(value.value);
  if (value.kind !== "error") run.refuse("TG1041", key, { object: "an object", property: describe(value) });
  return undefined;
}

function propertyValue(node: TSESTree.Property, run: Evaluation): Value {
  const { value } = node;
  if (node.kind !== "init" || node.method) {
    return run.refuse("TG1031", node, { what: "a method" }, { hint: "write the value itself" });
  }
  if (value.type === "AssignmentPattern" || value.type === "TSEmptyBodyFunctionExpression") {
    return errorValue(run.spanOf(node));
  }
  return run.evaluate(value);
}

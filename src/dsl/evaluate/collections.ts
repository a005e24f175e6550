import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { propertyName } from "./property-names.js";
import { describe, type PropertyValue, type Value } from "./value.js";

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
      const hints: Partial<Record<Value["kind"], string>> = {
        list: "keep the items in an array constant and spread that into both lists",
        string: 'take it apart with `.split("")`',
        object: "write `Object.values(…)`, `Object.keys(…)` or `Object.entries(…)`",
        boolean: "write `...(condition ? [ … ] : [])`",
        undefined: "write `...(array ?? [])`",
      };
      const hint = hints[value.kind];
      return [run.refuse("TG1043", element, { found: describe(value), target: "an array" }, { hint })];
    }
  }
}

export function evaluateObject(node: TSESTree.ObjectExpression, run: Evaluation): Value {
  const properties = new Map<string, PropertyValue>();
  /** Names written in this literal itself. What a spread brings may be replaced, and may replace. */
  const written = new Map<string, PropertyValue>();
  // An object takes as much memory as several other values.
  let partial = !run.spend(node.properties.length, run.spanOf(node));
  for (const part of node.properties) {
    if (part.type === "SpreadElement") {
      const spread = spreadProperties(part, run);
      partial ||= spread === undefined;
      for (const [name, property] of spread ?? []) {
        written.delete(name);
        properties.set(name, property);
      }
      continue;
    }
    const name = propertyName(part, run);
    const value = propertyValue(part, run);
    if (name === undefined) {
      partial = true;
      continue;
    }
    const property = { key: run.spanOf(part.key), value };
    const before = written.get(name);
    if (before) reportTwice(part, name, before, run);
    written.set(name, property);
    properties.set(name, property);
  }
  return { kind: "object", properties, partial, span: run.spanOf(node) };
}

function reportTwice(node: TSESTree.Property, name: string, before: PropertyValue, run: Evaluation): void {
  const related = [{ span: before.key, text: "first written here" }];
  run.refuse("TG1044", node.key, { name }, { related });
}

/** undefined: which properties they are could not be read, which is reported. */
function spreadProperties(
  element: TSESTree.SpreadElement,
  run: Evaluation,
): ReadonlyMap<string, PropertyValue> | undefined {
  const value = run.evaluate(element.argument);
  switch (value.kind) {
    case "object": {
      const isPaid = run.spend(value.properties.size, run.spanOf(element));
      return isPaid && !value.partial ? value.properties : undefined;
    }
    case "error":
      return undefined;
    default: {
      const hint = "write `...(condition ? { … } : {})`";
      const extras = value.kind === "boolean" || value.kind === "undefined" ? { hint } : {};
      run.refuse("TG1043", element, { found: describe(value), target: "an object" }, extras);
      return undefined;
    }
  }
}

function propertyValue(node: TSESTree.Property, run: Evaluation): Value {
  const { value } = node;
  if (node.kind !== "init" || node.method) {
    const what = node.method ? "a method" : "a getter or setter";
    const hint = node.method ? "write an arrow function: `name: (…) => value`" : "write the value itself";
    return run.refuse("TG1030", node, { what }, { hint });
  }
  if (value.type === "AssignmentPattern" || value.type === "TSEmptyBodyFunctionExpression") {
    return run.refuse("TG1030", node, { what: "this property" }, { hint: "write `name: value`" });
  }
  return run.evaluate(value);
}

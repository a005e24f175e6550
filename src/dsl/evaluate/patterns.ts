import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import type { Evaluation } from "./evaluation.js";
import { describe, errorValue, type Value } from "./value.js";

/** Gives the names of a `const` declaration their values: one name, or the parts of an object or array. */
export function bind(target: TSESTree.Node, value: Value, run: Evaluation): void {
  switch (target.type) {
    case "Identifier":
      declare(target, value, run);
      break;
    case "ObjectPattern":
      checkParts(target, "an object", value, run);
      for (const part of target.properties) {
        if (part.type === "Property" && !part.computed && part.key.type === "Identifier") {
          bind(part.value, propertyFor(part.key, value, run), run);
        } else refusePattern(part, run);
      }
      break;
    case "ArrayPattern":
      checkParts(target, "an array", value, run);
      target.elements.forEach((element, index) => {
        if (element) bind(element, itemFor(element, index, value, run), run);
      });
      break;
    default:
      refusePattern(target, run);
  }
}

/** Gives one name its value. */
export function declare(name: TSESTree.Identifier, value: Value, run: Evaluation): void {
  const before = run.scope.declare(name.name, value, run.spanOf(name));
  if (!before) return;
  run.refuse(
    "TG1022",
    name,
    { name: name.name },
    { related: [{ span: before, text: "first declared here" }] },
  );
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

function refusePattern(node: TSESTree.Node, run: Evaluation): void {
  run.refuse("TG1031", node, { what: "this pattern" }, { hint: "declare each name with its own `const`" });
}

function propertyFor(key: TSESTree.Identifier, object: Value, run: Evaluation): Value {
  if (object.kind !== "object") return errorValue(run.spanOf(key));
  const property = object.properties.get(key.name);
  if (property) return property.value;
  const hint = didYouMean(key.name, object.properties.keys());
  return run.refuse("TG1041", key, { object: describe(object), property: key.name }, { hint });
}

function itemFor(element: TSESTree.Node, index: number, array: Value, run: Evaluation): Value {
  if (array.kind !== "array") return errorValue(run.spanOf(element));
  return array.items[index] ?? run.refuse("TG1041", element, { object: describe(array), property: index });
}

/** All names that a declaration declares. */
export function namesIn(target: TSESTree.Node): readonly string[] {
  switch (target.type) {
    case "Identifier":
      return [target.name];
    case "ObjectPattern":
      return target.properties.flatMap((p) => (p.type === "Property" ? namesIn(p.value) : []));
    case "ArrayPattern":
      return target.elements.flatMap((element) => (element ? namesIn(element) : []));
    default:
      return [];
  }
}

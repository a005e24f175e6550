import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import type { Evaluation } from "./evaluation.js";
import { describe, errorValue, type Value } from "./value.js";

export function evaluateIdentifier(node: TSESTree.Identifier, run: Evaluation): Value {
  const span = run.spanOf(node);
  const value = run.scope.lookUp(node.name);
  if (value) return { ...value, via: span };
  if (node.name === "undefined") return { kind: "undefined", span };
  if (run.scope.isAnnounced(node.name)) return run.refuse("TG1021", node, { name: node.name });
  return run.refuse("TG1020", node, { name: node.name }, { hint: run.scope.suggest(node.name) });
}

/** `object.name`, `object["name"]`, `array[0]`, and `length` of arrays and strings. */
export function evaluateMember(node: TSESTree.MemberExpression, run: Evaluation): Value {
  const object = run.evaluate(node.object);
  const key = propertyKey(node, run);
  if (object.kind === "error" || key === undefined) return errorValue(run.spanOf(node));
  const found = memberOf(object, key, node, run);
  if (found) return { ...found, via: run.spanOf(node) };
  if (isMethod(object, key)) {
    const hint = "write the values out";
    return run.refuse("TG1031", node.property, { what: `the method \`${key}\`` }, { hint });
  }
  const hint = object.kind === "object" ? didYouMean(String(key), object.properties.keys()) : undefined;
  return run.refuse("TG1041", node.property, { object: describe(object), property: key }, { hint });
}

function memberOf(
  object: Value,
  key: string | number,
  node: TSESTree.MemberExpression,
  run: Evaluation,
): Value | undefined {
  switch (object.kind) {
    case "object":
      return object.properties.get(String(key))?.value;
    case "array":
      if (key === "length") return lengthOf(object.items, node, run);
      // Of all texts that Number() reads, only an index as it is printed names an element.
      return String(Number(key)) === String(key) ? object.items[Number(key)] : undefined;
    case "string":
      return key === "length" ? lengthOf(object.value, node, run) : undefined;
    default:
      return undefined;
  }
}

function lengthOf(of: { readonly length: number }, node: TSESTree.MemberExpression, run: Evaluation): Value {
  return { kind: "number", value: of.length, span: run.spanOf(node) };
}

/** The name or index behind `.` or in brackets; undefined after a report. */
function propertyKey(node: TSESTree.MemberExpression, run: Evaluation): string | number | undefined {
  if (!node.computed) return node.property.name;
  const key = run.evaluate(node.property);
  if (key.kind === "string" || key.kind === "number") return key.value;
  if (key.kind !== "error") {
    run.refuse("TG1041", node.property, { object: "a value", property: describe(key) });
  }
  return undefined;
}

/** Methods of arrays and strings that belong to the language of policies. */
const METHODS: ReadonlySet<string | number> = new Set([
  ...["map", "filter", "flatMap", "concat", "includes", "slice", "join", "flat", "some", "every", "find"],
  ...["at", "indexOf", "split", "startsWith", "endsWith", "toLowerCase", "toUpperCase", "trim", "replace"],
]);

function isMethod(object: Value, key: string | number): boolean {
  return (object.kind === "array" || object.kind === "string") && METHODS.has(key);
}

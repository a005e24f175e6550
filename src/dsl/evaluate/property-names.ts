import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { describe } from "./value.js";

/** The name of a property in a literal or a pattern; undefined after a report. */
export function propertyName(node: TSESTree.Property, run: Evaluation): string | undefined {
  const name = node.computed ? computedName(node.key, run) : plainName(node.key);
  if (name === undefined || isUsableName(name)) return name;
  run.refuse("TG1045", node.key, { name });
  return undefined;
}

/** In JavaScript a `__proto__` in a literal sets the prototype and adds no property. */
export function isUsableName(name: string): boolean {
  return name !== "__proto__";
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

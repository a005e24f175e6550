import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import type { Evaluation } from "./evaluation.js";
import { type Methods, methodsOf } from "./methods/index.js";
import { describe, errorValue, isMissing, type Value } from "./value.js";

/** `object.name`, `object["name"]`, `array[0]`, and `length` of arrays and strings. */
export function evaluateMember(node: TSESTree.MemberExpression, run: Evaluation): Value {
  return member(node, false, run);
}

/** The same, but where the author provides for a missing value, a missing property is undefined. */
export function evaluateMaybe(node: TSESTree.Expression, run: Evaluation): Value {
  if (node.type === "MemberExpression") return member(node, true, run);
  if (node.type === "ChainExpression") return endOfChain(evaluateMaybe(node.expression, run));
  return run.evaluate(node);
}

/** `a?.b.c`: behind null or undefined the rest of the chain is passed over (ECMA-262, 13.3.9). */
export function evaluateChain(node: TSESTree.ChainExpression, run: Evaluation): Value {
  return endOfChain(run.evaluate(node.expression));
}

function endOfChain(value: Value): Value {
  return value.kind === "undefined" ? { kind: "undefined", span: value.span } : value;
}

function member(node: TSESTree.MemberExpression, mayBeMissing: boolean, run: Evaluation): Value {
  const object = run.evaluate(node.object);
  if (passesOver(object, node.optional)) return passedOver(node, run);
  const key = propertyKey(node, run);
  if (object.kind === "error" || key === undefined) return errorValue(run.spanOf(node));
  const found = memberOf(object, key, node, run);
  if (found) return { ...found, via: run.spanOf(node) };
  const maybe = mayBeMissing || node.optional;
  if (maybe && (object.kind === "object" || object.kind === "array") && !isInherited(object, key)) {
    return { kind: "undefined", span: run.spanOf(node) };
  }
  return refuseMember(object, key, node, run);
}

/** Whether a link of a chain has nothing to go on from. */
export function passesOver(value: Value, optional: boolean): boolean {
  return (value.kind === "undefined" && value.skipped === true) || (optional && isMissing(value));
}

export function passedOver(node: TSESTree.Node, run: Evaluation): Value {
  return { kind: "undefined", span: run.spanOf(node), skipped: true };
}

/** What an object, array, string or namespace holds under a name; methods are for calls.ts. */
export function memberOf(
  object: Value,
  key: string | number,
  node: TSESTree.MemberExpression,
  run: Evaluation,
): Value | undefined {
  const span = run.spanOf(node);
  switch (object.kind) {
    case "object": {
      const property = object.properties.get(String(key));
      return property?.value ?? (object.partial ? errorValue(span) : undefined);
    }
    case "array":
      if (key === "length") return { kind: "number", value: object.items.length, span };
      return isIndex(key) ? object.items[Number(key)] : undefined;
    case "string": {
      if (key === "length") return { kind: "number", value: object.value.length, span };
      const unit = isIndex(key) ? object.value[Number(key)] : undefined;
      return unit === undefined ? undefined : { kind: "string", value: unit, span };
    }
    case "native": {
      const found = object.native.members.get(String(key));
      if (found === undefined) return undefined;
      return typeof found === "number"
        ? { kind: "number", value: found, span }
        : { kind: "native", native: found, span };
    }
    default:
      return undefined;
  }
}

/** Of all texts that Number() reads, only an index as it is printed names an element. */
function isIndex(key: string | number): boolean {
  return String(Number(key)) === String(key);
}

/** What JavaScript finds in every object or array: there it is not missing, and here it is no value. */
export function isInherited(object: Value, key: string | number): boolean {
  return key in (object.kind === "array" ? Array.prototype : Object.prototype);
}

/** Reports that there is no such property or method, and what to write instead. */
export function refuseMember(
  object: Value,
  key: string | number,
  node: TSESTree.MemberExpression,
  run: Evaluation,
): Value {
  const name = String(key);
  const methods = methodsOf(object);
  const instead = (object.kind === "native" ? object.native : methods)?.refused.get(name);
  if (instead !== undefined) return run.refuse("TG1034", node.property, { name }, { hint: instead });
  if (methods?.known.has(name)) {
    const hint = `call it, with parentheses: \`.${name}(…)\``;
    return run.refuse("TG1030", node.property, { what: `the method \`${name}\` without a call` }, { hint });
  }
  const hint = hintForMember(object, name, methods);
  return run.refuse("TG1041", node.property, { object: nameOf(object), property: name }, { hint });
}

function hintForMember(object: Value, name: string, methods: Methods | undefined): string | undefined {
  if (object.kind === "object") {
    const suggestion = didYouMean(name, object.properties.keys());
    if (suggestion === undefined && isInherited(object, name)) return INHERITED;
    return suggestion ?? "if it may be missing, write `?? value` behind it";
  }
  if (object.kind === "native") return didYouMean(name, object.native.members.keys());
  if (object.kind === "array" && /^\d+$/.test(name))
    return `it has ${object.items.length} items, counted from 0`;
  if (isMissing(object)) return "write `?.` instead of `.`";
  const length = object.kind === "array" || object.kind === "string" ? ["length"] : [];
  return methods && didYouMean(name, [...length, ...methods.known.keys()]);
}

/** Why a property with such a name is not just missing. */
export const INHERITED = "every object of JavaScript has one by this name; choose another name";

function nameOf(object: Value): string {
  return object.kind === "native" ? `\`${object.native.name}\`` : describe(object);
}

/** The name or index behind `.` or in brackets; undefined after a report. */
export function propertyKey(node: TSESTree.MemberExpression, run: Evaluation): string | number | undefined {
  if (!node.computed) return node.property.name;
  const key = run.evaluate(node.property);
  if (key.kind === "string" || key.kind === "number") return key.value;
  if (key.kind !== "error") {
    run.refuse("TG1041", node.property, { object: "a value", property: describe(key) });
  }
  return undefined;
}

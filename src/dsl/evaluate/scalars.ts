import type { ScalarValue, Value } from "./value.js";

export function isScalar(value: Value): value is ScalarValue {
  return ["string", "number", "boolean", "null", "undefined"].includes(value.kind);
}

/** The value of JavaScript that it stands for. */
export function scalarOf(value: ScalarValue): string | number | boolean | null | undefined {
  switch (value.kind) {
    case "null":
      return null;
    case "undefined":
      return undefined;
    default:
      return value.value;
  }
}

/** ECMAScript's ToBoolean. */
export function isTruthy(value: Value): boolean {
  return !isScalar(value) || Boolean(scalarOf(value));
}

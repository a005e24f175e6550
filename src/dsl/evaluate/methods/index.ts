import type { Value } from "../value.js";
import { ARRAY_METHODS, REFUSED_OF_ARRAYS } from "./array.js";
import type { Method } from "./method.js";
import { BOOLEAN_METHODS, NUMBER_METHODS, REFUSED_OF_NUMBERS } from "./number.js";
import { REFUSED_OF_STRINGS, STRING_METHODS } from "./string.js";

/** The methods of one kind of value. */
export interface Methods {
  readonly known: ReadonlyMap<string, Method<Value>>;
  /** Methods of JavaScript that policies do not have, with what to write instead. */
  readonly refused: ReadonlyMap<string, string>;
}

const METHODS: ReadonlyMap<Value["kind"], Methods> = new Map([
  ["array", table(ARRAY_METHODS, REFUSED_OF_ARRAYS)],
  ["string", table(STRING_METHODS, REFUSED_OF_STRINGS)],
  ["number", table(NUMBER_METHODS, REFUSED_OF_NUMBERS)],
  ["boolean", table(BOOLEAN_METHODS)],
]);

function table<R extends Value>(
  methods: Readonly<Record<string, Method<R>>>,
  refused: ReadonlyMap<string, string> = new Map(),
): Methods {
  // Each table stands under the kind of its receiver, which a Map's type cannot say.
  return { known: new Map(Object.entries(methods as Readonly<Record<string, Method<Value>>>)), refused };
}

/** The methods of a value; undefined if its kind has none. */
export function methodsOf(value: Value): Methods | undefined {
  return METHODS.get(value.kind);
}

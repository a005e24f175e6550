import type { Value } from "../value.js";
import type { MethodCall } from "./method.js";

/** A function or namespace of JavaScript itself, with the functions and constants in it. */
export interface Native {
  readonly name: string;
  /** null: it cannot be called. */
  readonly call: NativeFunction | null;
  readonly members: ReadonlyMap<string, Native | number>;
  /** Members of JavaScript that policies do not have, with what to write instead. */
  readonly refused: ReadonlyMap<string, string>;
}

export type NativeFunction = (call: MethodCall) => Value;

export function nativeFunction(name: string, call: NativeFunction): Native {
  return { name, call, members: new Map(), refused: new Map() };
}

/** A namespace such as `Math`, or a function that is one too, such as `Number`. */
export function namespace(
  name: string,
  call: NativeFunction | null,
  members: Readonly<Record<string, NativeFunction | number>>,
  refused: ReadonlyMap<string, string> = new Map(),
): Native {
  const made = Object.entries(members).map(([member, value]): [string, Native | number] => [
    member,
    typeof value === "number" ? value : nativeFunction(`${name}.${member}`, value),
  ]);
  return { name, call, members: new Map(made), refused };
}

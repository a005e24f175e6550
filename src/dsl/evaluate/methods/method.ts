import type { Span } from "../../../compiler/diagnostics/span.js";
import type { Evaluation } from "../evaluation.js";
import { isScalar } from "../scalars.js";
import {
  describe,
  errorValue,
  type FunctionValue,
  isFunction,
  placesOf,
  type ScalarValue,
  type Value,
} from "../value.js";

/** One call of a method, or of a function of JavaScript. */
export interface MethodCall {
  readonly name: string;
  readonly span: Span;
  readonly args: readonly Value[];
  /** Written out by the author: an argument too many is a mistake. Callbacks are given more than they take. */
  readonly exact: boolean;
  readonly run: Evaluation;
}

export type Method<R extends Value> = (receiver: R, call: MethodCall) => Value;

/** A kind of argument; optional ones are undefined when left out. */
export interface Kind<T> {
  readonly wants: string;
  readonly optional: boolean;
  /** null: the value is of another kind. */
  read(value: Value): { readonly is: T } | null;
}

function kind<T>(wants: string, read: (value: Value) => { readonly is: T } | null): Kind<T> {
  return { wants, optional: false, read };
}

export const text = kind("text", (value) => (value.kind === "string" ? { is: value.value } : null));
export const number = kind("a number", (value) => (value.kind === "number" ? { is: value.value } : null));
export const callback = kind<FunctionValue>("a function", (value) =>
  isFunction(value) ? { is: value } : null,
);
export const any = kind<Value>("a value", (value) => ({ is: value }));
export const array = kind("an array", (value) => (value.kind === "array" ? { is: value } : null));
export const object = kind("an object", (value) => (value.kind === "object" ? { is: value } : null));
export const scalar = kind<ScalarValue>("text, a number or a boolean", (value) =>
  isScalar(value) ? { is: value } : null,
);

export function optional<T>(of: Kind<T>): Kind<T | undefined> {
  return { wants: of.wants, optional: true, read: of.read };
}

type Kinds = readonly Kind<unknown>[];
type Read<K extends Kinds> = { readonly [I in keyof K]: K[I] extends Kind<infer T> ? T : never };

/** A method whose arguments are of these kinds; those that are not are reported, and give an error value. */
export function method<R extends Value, const K extends Kinds>(
  kinds: K,
  body: (receiver: R, args: Read<K>, call: MethodCall) => Value,
): Method<R> {
  return (receiver, call) => {
    const args = readArguments(kinds, call);
    return args ? body(receiver, args, call) : errorValue(call.span);
  };
}

/** The same for a function that belongs to no value. */
export function fn<const K extends Kinds>(
  kinds: K,
  body: (args: Read<K>, call: MethodCall) => Value,
): (call: MethodCall) => Value {
  return (call) => {
    const args = readArguments(kinds, call);
    return args ? body(args, call) : errorValue(call.span);
  };
}

function readArguments<K extends Kinds>(kinds: K, call: MethodCall): Read<K> | undefined {
  if (call.exact && call.args.length > kinds.length) return refuseCount(kinds.length, call);
  const read = kinds.map((kind, index) => readArgument(kind, index, call));
  if (read.includes(undefined)) return undefined;
  // Each argument was read by its own kind, which is what Read<K> says.
  return read.map((one) => one?.is) as unknown as Read<K>;
}

/** JavaScript would take no notice of the others, or give them a meaning that policies do not have. */
function refuseCount(most: number, { name, args, span, run }: MethodCall): undefined {
  const expected = most === 1 ? "1 argument" : `${most} arguments`;
  run.diagnostics.report("TG1055", span, { name: `\`${name}\``, expected, found: args.length });
}

function readArgument(kind: Kind<unknown>, index: number, call: MethodCall): { is: unknown } | undefined {
  const value = call.args[index];
  if (kind.optional && (!value || value.kind === "undefined")) return { is: undefined };
  const read = value && kind.read(value);
  if (read && value.kind !== "error") return read;
  if (call.args.some((arg) => arg.kind === "error")) return undefined;
  // Of several that are left out, the first one is enough.
  if (index > call.args.length) return undefined;
  const { span, related } = value ? placesOf(value) : { span: call.span, related: [] };
  const found = value ? describe(value) : "nothing";
  const params = { name: call.name, nth: index + 1, wants: kind.wants, found };
  call.run.diagnostics.report("TG1035", span, params, { related });
  return undefined;
}

/** Reports that an argument is of the right kind, and still nothing that the function can work with. */
export function refuseArgument(index: number, wants: string, found: string, call: MethodCall): Value {
  const value = call.args[index];
  const span = value ? placesOf(value).span : call.span;
  call.run.diagnostics.report("TG1035", span, { name: call.name, nth: index + 1, wants, found });
  return errorValue(call.span);
}

/** The results of methods; each is paid for by its size. */
export const give = {
  array: (items: readonly Value[], { span, run }: MethodCall): Value =>
    run.spend(items.length, span) ? { kind: "array", items, span } : errorValue(span),
  /** The parts one behind the other; those that are no arrays stand for themselves. */
  joinedArray: (parts: readonly Value[], call: MethodCall): Value =>
    paid(
      parts.reduce((sum, part) => sum + (part.kind === "array" ? part.items.length : 1), 0),
      call,
      () => ({
        kind: "array",
        items: parts.flatMap((part) => (part.kind === "array" ? part.items : [part])),
        span: call.span,
      }),
    ),
  text: (value: string, { span, run }: MethodCall): Value =>
    run.spend(value.length, span) ? { kind: "string", value, span } : errorValue(span),
  /** The parts with a text between them. */
  joinedText: (parts: readonly string[], between: string, call: MethodCall): Value =>
    paid(
      parts.reduce((sum, part) => sum + part.length + between.length, 0),
      call,
      () => ({ kind: "string", value: parts.join(between), span: call.span }),
    ),
  number: (value: number, { span }: MethodCall): Value => ({ kind: "number", value, span }),
  boolean: (value: boolean, { span }: MethodCall): Value => ({ kind: "boolean", value, span }),
  undefined: ({ span }: MethodCall): Value => ({ kind: "undefined", span }),
};

/** Asks for so much work before it is done: a result may be larger than all that went into it. */
export function paid(amount: number, { run, span }: MethodCall, make: () => Value): Value {
  return run.spend(amount, span) ? make() : errorValue(span);
}

/** Calls a callback; a mistake in it says for which item it came up. */
export function callBack(
  f: FunctionValue,
  args: readonly Value[],
  { span, run }: MethodCall,
  item: Value | undefined = args[0],
): Value {
  const label = { span: item?.span ?? span, text: "for this item" };
  return run.call(f, args, { span, label, callee: span, exact: false });
}

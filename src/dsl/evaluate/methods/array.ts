import { isScalar, isTruthy, scalarOf } from "../scalars.js";
import { textFrom } from "../text.js";
import { type ArrayValue, describe, errorValue, type FunctionValue, type Value } from "../value.js";
import {
  any,
  callBack,
  callback,
  give,
  type Method,
  type MethodCall,
  method,
  number,
  optional,
  paid,
  refuseArgument,
  scalar,
  text,
} from "./method.js";

type ArrayMethod = Method<ArrayValue>;

/** The methods of arrays that make new values and change none. Callbacks are given an item, its index and the array. */
export const ARRAY_METHODS: Readonly<Record<string, ArrayMethod>> = {
  map: method([callback], (array, [f], call) => give.array(each(array, f, call), call)),
  flatMap: method([callback], (array, [f], call) => give.joinedArray(each(array, f, call), call)),
  filter: method([callback], (array, [f], call) =>
    searched(array, f, call, (passes) =>
      give.array(
        array.items.filter((_, index) => passes(index)),
        call,
      ),
    ),
  ),
  some: method([callback], (array, [f], call) =>
    searched(array, f, call, (passes) =>
      give.boolean(
        array.items.some((_, index) => passes(index)),
        call,
      ),
    ),
  ),
  every: method([callback], (array, [f], call) =>
    searched(array, f, call, (passes) =>
      give.boolean(
        array.items.every((_, index) => passes(index)),
        call,
      ),
    ),
  ),
  find: method([callback], (array, [f], call) =>
    searched(array, f, call, (passes) => array.items.find((_, i) => passes(i)) ?? give.undefined(call)),
  ),
  findLast: method([callback], (array, [f], call) =>
    searched(array, f, call, (passes) => array.items.findLast((_, i) => passes(i)) ?? give.undefined(call)),
  ),
  findIndex: method([callback], (array, [f], call) =>
    searched(array, f, call, (passes) =>
      give.number(
        array.items.findIndex((_, i) => passes(i)),
        call,
      ),
    ),
  ),
  // A start that is written and undefined is a start (ECMA-262, 23.1.3.24).
  reduce: method([callback, optional(any)], (array, [f], call) => reduce(array, f, call.args[1], call)),

  concat: (array, call) => give.joinedArray([array, ...call.args], call),
  slice: method([optional(number), optional(number)], (array, [start, end], call) =>
    give.array(array.items.slice(start, end), call),
  ),
  at: method([number], (array, [index], call) => array.items.at(index) ?? give.undefined(call)),
  flat: method([optional(number)], (array, [levels = 1], call) => {
    const items: Value[] = [];
    return flatten(array, levels, items, call)
      ? { kind: "array", items, span: call.span }
      : errorValue(call.span);
  }),
  toReversed: method([], (array, _, call) => give.array(array.items.toReversed(), call)),
  toSorted: method([optional(callback)], (array, [compare], call) =>
    compare ? sortedBy(array, compare, call) : sorted(array, call),
  ),

  includes: method([scalar], (array, [wanted], call) =>
    // Unlike ===, `includes` finds NaN (ECMA-262, 23.1.3.16).
    paid(array.items.length, call, () => {
      return give.boolean(array.items.map(comparable).includes(comparable(wanted)), call);
    }),
  ),
  indexOf: method([scalar], (array, [wanted], call) =>
    paid(array.items.length, call, () => {
      const isSame = (item: Value) => comparable(item) === comparable(wanted);
      return give.number(array.items.findIndex(isSame), call);
    }),
  ),
  join: method([optional(text)], (array, [separator = ","], call) => joined(array, separator, call)),

  keys: method([], (array, _, call) =>
    give.array(
      array.items.map((_item, i) => give.number(i, call)),
      call,
    ),
  ),
  values: method([], (array, _, call) => give.array(array.items, call)),
  entries: method([], (array, _, call) => {
    const pairs = array.items.map((item, i) => pair(give.number(i, call), item, call));
    return give.array(pairs, call);
  }),
};

/** What to write instead of methods that change the array, or that are of no use without changes. */
export const REFUSED_OF_ARRAYS: ReadonlyMap<string, string> = new Map([
  ["push", "make a new array: `[...items, item]`"],
  ["unshift", "make a new array: `[item, ...items]`"],
  ["pop", "write `.slice(0, -1)` for the others, `.at(-1)` for the last item"],
  ["shift", "write `.slice(1)` for the others, `[0]` for the first item"],
  ["splice", "make a new array with `.slice(…)`, `.filter(…)` and `...`"],
  ["sort", "write `.toSorted(…)`, which makes a new array"],
  ["reverse", "write `.toReversed()`, which makes a new array"],
  ["fill", "write `Array.from({ length: n }, () => value)`"],
  ["copyWithin", "make a new array with `.slice(…)` and `...`"],
  ["forEach", "write `.map(…)`, which gives an array of the results"],
]);

export function pair(first: Value, second: Value, { span }: MethodCall): Value {
  return { kind: "array", items: [first, second], span };
}

/** The results of a callback for every item. */
function each(array: ArrayValue, f: FunctionValue, call: MethodCall): readonly Value[] {
  return array.items.map((item, index) => callBack(f, [item, give.number(index, call), array], call));
}

/** Hands out the test of an item; if one could not be made, neither can the result. */
function searched(
  array: ArrayValue,
  f: FunctionValue,
  call: MethodCall,
  result: (passes: (index: number) => boolean) => Value,
): Value {
  let failed = false;
  const found = result((index) => {
    const item = array.items[index];
    const answer = item && !failed ? callBack(f, [item, give.number(index, call), array], call) : undefined;
    failed ||= answer?.kind === "error";
    return answer !== undefined && isTruthy(answer);
  });
  return failed ? errorValue(call.span) : found;
}

function reduce(array: ArrayValue, f: FunctionValue, start: Value | undefined, call: MethodCall): Value {
  const [first, ...others] = start ? [start, ...array.items] : array.items;
  if (!first) return refuseArgument(1, "a first value for an empty array", "nothing", call);
  if (!call.run.spend(array.items.length, call.span)) return errorValue(call.span);
  const shift = start ? 0 : 1;
  return others.reduce<Value>((sum, item, index) => {
    if (sum.kind === "error") return sum;
    return callBack(f, [sum, item, give.number(index + shift, call), array], call, item);
  }, first);
}

/** Pays for each array that it opens, since one may stand in many places; false after a report. */
function flatten(array: ArrayValue, levels: number, into: Value[], call: MethodCall): boolean {
  const { run, span } = call;
  if (!run.spend(array.items.length, span)) return false;
  const done = run.reading.nested(() =>
    array.items.every((item) => {
      if (item.kind === "array" && levels >= 1) return flatten(item, levels - 1, into, call);
      into.push(item);
      return true;
    }),
  );
  if (done === undefined) run.diagnostics.report("TG1002", span, {});
  return done ?? false;
}

/** A scalar by its value; anything else only equals itself. */
function comparable(value: Value): unknown {
  return isScalar(value) ? scalarOf(value) : value;
}

function joined(array: ArrayValue, separator: string, call: MethodCall): Value {
  const { run, span } = call;
  const parts = array.items.map((item) => textFrom(item, item.via ?? item.span, run));
  if (parts.includes(undefined)) return errorValue(span);
  return give.joinedText(
    parts.filter((part) => part !== undefined),
    separator,
    call,
  );
}

/** Without a function JavaScript sorts numbers by their text, 10 before 9: nobody means that. */
function sorted(array: ArrayValue, call: MethodCall): Value {
  const wrong = array.items.find(({ kind }) => kind !== "string");
  if (wrong?.kind === "error") return errorValue(call.span);
  if (wrong) {
    const wants = wrong.kind === "number" ? "`(a, b) => a - b` to sort numbers" : "a function that compares";
    return refuseArgument(0, wants, `an array that holds ${describe(wrong)}`, call);
  }
  // ECMAScript compares the UTF-16 code units of texts, as `<` does.
  const text = (value: Value) => (value.kind === "string" ? value.value : "");
  const byText = (a: Value, b: Value) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);
  return give.array(array.items.toSorted(byText), call);
}

function sortedBy(array: ArrayValue, compare: FunctionValue, call: MethodCall): Value {
  let failed = false;
  // undefined comes last, and nobody is asked about it (ECMA-262, 23.1.3.30.2).
  const isGiven = ({ kind }: Value) => kind !== "undefined";
  const given = array.items.filter(isGiven).toSorted((a, b) => {
    if (failed) return 0;
    const order = callBack(compare, [a, b], call);
    if (order.kind === "number") return order.value;
    failed = true;
    if (order.kind !== "error") refuseArgument(0, "a function that gives a number", describe(order), call);
    return 0;
  });
  const others = array.items.filter((item) => !isGiven(item));
  return failed ? errorValue(call.span) : give.array([...given, ...others], call);
}

import type { ScalarValue } from "../value.js";
import { errorValue, type Value } from "../value.js";
import { fn, give, type MethodCall, number, optional, refuseArgument, scalar, text } from "./method.js";
import { type Native, namespace, nativeFunction } from "./native.js";

export const MATH: Native = namespace(
  "Math",
  null,
  {
    min: (call) =>
      overNumbers(call, (numbers) => numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
    max: (call) =>
      overNumbers(call, (numbers) => numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
    floor: fn([number], ([x], call) => give.number(Math.floor(x), call)),
    ceil: fn([number], ([x], call) => give.number(Math.ceil(x), call)),
    round: fn([number], ([x], call) => give.number(Math.round(x), call)),
    trunc: fn([number], ([x], call) => give.number(Math.trunc(x), call)),
    abs: fn([number], ([x], call) => give.number(Math.abs(x), call)),
    sign: fn([number], ([x], call) => give.number(Math.sign(x), call)),
    log2: fn([number], ([x], call) => give.number(Math.log2(x), call)),
    pow: fn([number, number], ([x, y], call) => give.number(x ** y, call)),
  },
  new Map([["random", "a policy means the same each time it is read; write the value as a constant"]]),
);

const parseIntOf = fn([text, optional(number)], ([value, radix], call) =>
  give.number(Number.parseInt(value, radix), call),
);
const parseFloatOf = fn([text], ([value], call) => give.number(Number.parseFloat(value), call));

export const NUMBER: Native = namespace("Number", fn([scalar], numberFrom), {
  isInteger: fn([scalar], ([x], call) =>
    give.boolean(x.kind === "number" && Number.isInteger(x.value), call),
  ),
  isFinite: fn([scalar], ([x], call) => give.boolean(x.kind === "number" && Number.isFinite(x.value), call)),
  isNaN: fn([scalar], ([x], call) => give.boolean(x.kind === "number" && Number.isNaN(x.value), call)),
  isSafeInteger: fn([scalar], ([x], call) =>
    give.boolean(x.kind === "number" && Number.isSafeInteger(x.value), call),
  ),
  parseInt: parseIntOf,
  parseFloat: parseFloatOf,
  MAX_SAFE_INTEGER: Number.MAX_SAFE_INTEGER,
});

export const PARSE_INT: Native = nativeFunction("parseInt", parseIntOf);
export const PARSE_FLOAT: Native = nativeFunction("parseFloat", parseFloatOf);

function overNumbers(call: MethodCall, of: (numbers: readonly number[]) => number): Value {
  const wrong = call.args.findIndex(({ kind }) => kind !== "number" && kind !== "error");
  if (wrong >= 0) return refuseArgument(wrong, "a number", "another kind of value", call);
  const numbers = call.args.flatMap((one) => (one.kind === "number" ? one.value : []));
  return numbers.length < call.args.length ? errorValue(call.span) : give.number(of(numbers), call);
}

/** A text that is no number would become NaN, and NaN no rule. */
function numberFrom([value]: readonly [ScalarValue], call: MethodCall): Value {
  const plain = value.kind === "null" || value.kind === "undefined" ? Number.NaN : Number(value.value);
  if (!Number.isNaN(plain)) return give.number(plain, call);
  return refuseArgument(
    0,
    "text that is a number",
    value.kind === "string" ? "other text" : value.kind,
    call,
  );
}

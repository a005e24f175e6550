import type { ScalarValue } from "../value.js";
import { give, type Method, method, number, optional, refuseArgument } from "./method.js";

type NumberValue = Extract<ScalarValue, { kind: "number" }>;
type BooleanValue = Extract<ScalarValue, { kind: "boolean" }>;

export const NUMBER_METHODS: Readonly<Record<string, Method<NumberValue>>> = {
  toString: method([optional(number)], (self: NumberValue, [radix = 10], call) =>
    radix >= 2 && radix <= 36
      ? give.text(self.value.toString(radix), call)
      : refuseArgument(0, "a base from 2 to 36", `${radix}`, call),
  ),
  toFixed: method([optional(number)], (self, [digits = 0], call) =>
    digits >= 0 && digits <= 100
      ? give.text(self.value.toFixed(digits), call)
      : refuseArgument(0, "from 0 to 100 digits", `${digits}`, call),
  ),
};

export const REFUSED_OF_NUMBERS: ReadonlyMap<string, string> = new Map([
  ["toLocaleString", "write `.toString()`, which means the same on every machine"],
]);

export const BOOLEAN_METHODS: Readonly<Record<string, Method<BooleanValue>>> = {
  toString: method([], (self: BooleanValue, _, call) => give.text(`${self.value}`, call)),
};

import type { ScalarValue, Value } from "../value.js";
import { errorValue } from "../value.js";
import {
  give,
  type Method,
  type MethodCall,
  method,
  number,
  optional,
  paid,
  refuseArgument,
  text,
} from "./method.js";

type StringValue = Extract<ScalarValue, { kind: "string" }>;
type StringMethod = Method<StringValue>;

/** The methods of text. Positions count UTF-16 code units, as in JavaScript. */
export const STRING_METHODS: Readonly<Record<string, StringMethod>> = {
  includes: method([text, optional(number)], (self, [part, from], call) =>
    searched(self, part, call, () => give.boolean(self.value.includes(part, from), call)),
  ),
  indexOf: method([text, optional(number)], (self, [part, from], call) =>
    searched(self, part, call, () => give.number(self.value.indexOf(part, from), call)),
  ),
  lastIndexOf: method([text, optional(number)], (self, [part, from], call) =>
    searched(self, part, call, () => give.number(self.value.lastIndexOf(part, from), call)),
  ),
  startsWith: method([text, optional(number)], (self, [part, from], call) =>
    paid(part.length >> 4, call, () => give.boolean(self.value.startsWith(part, from), call)),
  ),
  endsWith: method([text, optional(number)], (self, [part, end], call) =>
    paid(part.length >> 4, call, () => give.boolean(self.value.endsWith(part, end), call)),
  ),

  toLowerCase: method([], (self, _, call) => give.text(self.value.toLowerCase(), call)),
  toUpperCase: method([], (self, _, call) => give.text(self.value.toUpperCase(), call)),
  trim: method([], (self, _, call) => give.text(self.value.trim(), call)),
  trimStart: method([], (self, _, call) => give.text(self.value.trimStart(), call)),
  trimEnd: method([], (self, _, call) => give.text(self.value.trimEnd(), call)),
  toString: method([], (self) => self),

  slice: method([optional(number), optional(number)], (self, [start, end], call) =>
    give.text(self.value.slice(start, end), call),
  ),
  substring: method([number, optional(number)], (self, [start, end], call) =>
    give.text(self.value.substring(start, end), call),
  ),
  charAt: method([number], (self, [index], call) => give.text(self.value.charAt(index), call)),
  at: method([number], (self, [index], call) => {
    const found = self.value.at(index);
    return found === undefined ? give.undefined(call) : give.text(found, call);
  }),

  split: method([text, optional(number)], (self, [separator, limit], call) =>
    searched(self, separator, call, () =>
      give.array(
        self.value.split(separator, limit).map((part) => give.text(part, call)),
        call,
      ),
    ),
  ),
  replace: method([text, text], (self, [part, by], call) =>
    searched(self, part, call, () => replaced(by, call, () => give.text(self.value.replace(part, by), call))),
  ),
  replaceAll: method([text, text], (self, [part, by], call) =>
    searched(self, part, call, () =>
      replaced(by, call, () =>
        paid(self.value.length + occurrences(self.value, part) * by.length, call, () =>
          give.text(self.value.replaceAll(part, by), call),
        ),
      ),
    ),
  ),
  concat: (self, call) => {
    const wrong = call.args.findIndex(({ kind }) => kind !== "string" && kind !== "error");
    if (wrong >= 0) return refuseArgument(wrong, "text", "another kind of value", call);
    const parts = call.args.filter((one) => one.kind === "string");
    if (parts.length < call.args.length) return errorValue(call.span);
    return give.joinedText(
      [self, ...parts].map(({ value }) => value),
      "",
      call,
    );
  },
  repeat: method([number], (self, [times], call) => {
    if (!isCount(times)) return refuseArgument(0, "a whole number from 0 up", `${times}`, call);
    return paid(self.value.length * times, call, () => give.text(self.value.repeat(times), call));
  }),
  padStart: method([number, optional(text)], (self, [length, fill = " "], call) =>
    paid(lengthOf(length), call, () => give.text(self.value.padStart(length, fill), call)),
  ),
  padEnd: method([number, optional(text)], (self, [length, fill = " "], call) =>
    paid(lengthOf(length), call, () => give.text(self.value.padEnd(length, fill), call)),
  ),
};

const NO_PATTERNS =
  "a policy has no regular expressions; write `.includes(…)`, `.split(…)` or `.replaceAll(…)`";

export const REFUSED_OF_STRINGS: ReadonlyMap<string, string> = new Map([
  ["match", NO_PATTERNS],
  ["matchAll", NO_PATTERNS],
  ["search", NO_PATTERNS],
  ["localeCompare", "compare with `<` and `>`, which mean the same on every machine"],
  ["toLocaleLowerCase", "write `.toLowerCase()`, which means the same on every machine"],
  ["toLocaleUpperCase", "write `.toUpperCase()`, which means the same on every machine"],
  ["substr", "write `.slice(start, end)`"],
]);

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** As JavaScript takes a number for a length: NaN is 0 (ECMA-262, 7.1.20). */
function lengthOf(value: number): number {
  return Math.max(0, value || 0);
}

/** Finding a part may compare all of it at every place. */
function searched(self: StringValue, part: string, call: MethodCall, make: () => Value): Value {
  const comparisons = self.value.length * Math.max(1, part.length);
  return paid(Math.ceil(comparisons / 256), call, make);
}

/** `$` in the second text has a meaning of its own (ECMA-262, 22.1.3.19.1), which hardly anyone knows. */
function replaced(by: string, call: MethodCall, make: () => Value): Value {
  return by.includes("$") ? refuseArgument(1, "text without `$`", "text with it", call) : make();
}

function occurrences(value: string, part: string): number {
  return part === "" ? value.length + 1 : value.split(part).length - 1;
}

import {
  type ArrayValue,
  describe,
  errorValue,
  type ObjectValue,
  type PropertyValue,
  type Value,
} from "../value.js";
import {
  any,
  array,
  callBack,
  callback,
  fn,
  give,
  type Kind,
  type MethodCall,
  object,
  optional,
  refuseArgument,
} from "./method.js";
import { type Native, namespace } from "./native.js";

export const OBJECT: Native = namespace(
  "Object",
  null,
  {
    keys: fn([object], ([of], call) => listed(of, call, keyOf)),
    values: fn([object], ([of], call) => listed(of, call, (_, { value }) => value)),
    entries: fn([object], ([of], call) =>
      listed(of, call, (name, property) => ({
        kind: "array",
        items: [keyOf(name, property), property.value],
        span: property.key,
      })),
    ),
    fromEntries: fn([array], ([entries], call) => fromEntries(entries, call)),
    // Nothing in a policy changes, so everything is frozen.
    freeze: fn([any], ([value]) => value),
  },
  new Map([
    ["assign", "write `{ ...a, ...b }`"],
    ["defineProperty", "write `{ ...object, name: value }`"],
    ["create", "write `{ … }`"],
    ["getPrototypeOf", "objects of a policy have their own properties and nothing else"],
    ["setPrototypeOf", "objects of a policy have their own properties and nothing else"],
  ]),
);

/** ECMA-262, 6.1.7. */
const MAX_INDEX = 2 ** 32 - 2;

function keyOf(name: string, { key }: PropertyValue): Value {
  return { kind: "string", value: name, span: key };
}

/** In the order written; names that are array indices come first, as in JavaScript (ECMA-262, 10.1.11). */
function listed(
  { properties, partial }: ObjectValue,
  call: MethodCall,
  item: (name: string, property: PropertyValue) => Value,
): Value {
  if (partial) return errorValue(call.span);
  const isIndex = ([name]: readonly [string, PropertyValue]) =>
    /^(?:0|[1-9][0-9]{0,9})$/.test(name) && Number(name) <= MAX_INDEX;
  const entries = [...properties];
  const indices = entries.filter(isIndex).sort(([a], [b]) => Number(a) - Number(b));
  const names = entries.filter((entry) => !isIndex(entry));
  return give.array(
    [...indices, ...names].map(([name, property]) => item(name, property)),
    call,
  );
}

function fromEntries(entries: ArrayValue, call: MethodCall): Value {
  const properties = new Map<string, PropertyValue>();
  for (const entry of entries.items) {
    if (entry.kind === "error") return entry;
    const [name, value] = entry.kind === "array" ? entry.items : [];
    if (name?.kind === "error") return name;
    if (!name || !value || (name.kind !== "string" && name.kind !== "number")) {
      return refuseArgument(
        0,
        "an array of pairs `[name, value]`",
        `one that holds ${describe(entry)}`,
        call,
      );
    }
    if (name.value === "__proto__") {
      call.run.diagnostics.report("TG1045", name.span, { name: name.value });
      return errorValue(call.span);
    }
    properties.set(String(name.value), { key: name.span, value });
  }
  if (!call.run.spend(properties.size, call.span)) return errorValue(call.span);
  return { kind: "object", properties, span: call.span };
}

const lengthOrArray: Kind<{ readonly length: number; readonly items: () => readonly Value[] }> = {
  wants: "`{ length: n }`, an array or text",
  optional: false,
  read: (value) => {
    if (value.kind === "array") return { is: { length: value.items.length, items: () => value.items } };
    if (value.kind === "string")
      return { is: { length: value.value.length, items: () => charactersOf(value) } };
    // Beside its length an object could have items, under their indices.
    const isPlain = value.kind === "object" && value.properties.size === 1;
    const length = isPlain ? value.properties.get("length")?.value : undefined;
    // JavaScript takes NaN for 0, but whoever has computed one did not mean that.
    const isLength = length?.kind === "number" && length.value >= 0;
    return isLength ? { is: { length: Math.trunc(length.value), items: () => [] } } : null;
  },
};

export const ARRAY: Native = namespace("Array", null, {
  isArray: fn([any], ([value], call) => give.boolean(value.kind === "array", call)),
  of: (call) => give.array(call.args, call),
  from: fn([lengthOrArray, optional(callback)], ([{ length, items }, f], call) => {
    // Paid for before it is made: the length is only a number that the author wrote.
    if (!call.run.spend(length, call.span)) return errorValue(call.span);
    const given = items();
    const made = Array.from({ length: given.length || length }, (_, index) => {
      const item = given[index] ?? give.undefined(call);
      return f ? callBack(f, [item, give.number(index, call)], call) : item;
    });
    return { kind: "array", items: made, span: call.span };
  }),
});

function charactersOf(text: Extract<Value, { kind: "string" }>): readonly Value[] {
  return [...text.value].map((value) => ({ kind: "string", value, span: text.span }));
}

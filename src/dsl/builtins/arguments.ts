import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { Call } from "../evaluate/value.js";
import type { Shape } from "../shape/shape.js";

type Shapes = Readonly<Record<string, Shape<unknown>>>;
type Arguments<S extends Shapes> = {
  readonly [K in keyof S]: S[K] extends Shape<infer T> ? T | undefined : never;
};

/**
 * Reads the arguments of a call by position, in the order of `shapes`; each one that does not fit is undefined
 * after a report, and so is each of the last `optional` ones that is not there. Undefined as a whole when there are too
 * many or too few.
 */
export function readArguments<S extends Shapes>(
  name: string,
  call: Call,
  shapes: S,
  diagnostics: Diagnostics,
  { optional = 0 } = {},
): Arguments<S> | undefined {
  const names = Object.keys(shapes);
  const fewest = names.length - optional;
  if (call.args.length < fewest || call.args.length > names.length) {
    const count = optional === 0 ? `${fewest}` : `${fewest} or ${names.length}`;
    const params = {
      call: `${name}(${names.join(", ")})`,
      expected: `${count} ${count === "1" ? "argument" : "arguments"}`,
      found: call.args.length,
    };
    // A part that could not be read may stand for any number of arguments.
    if (!call.args.some((arg) => arg.kind === "error")) diagnostics.report("TG2054", call.callee, params);
    return undefined;
  }
  const read = Object.entries(shapes).map(([key, shape], index) => {
    const value = call.args[index];
    return [key, value && shape(value, `the ${key} of \`${name}\``, diagnostics)];
  });
  return Object.fromEntries(read) as Arguments<S>;
}

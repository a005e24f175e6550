import type { Entry } from "../entry.js";
import { BUNDLE } from "./bundle.js";
import { LINT } from "./lint.js";
import { NAMES } from "./names.js";
import { RUNTIME } from "./runtime.js";
import { STORE } from "./store.js";
import { SUPPRESSION } from "./suppression.js";
import { SYNTAX } from "./syntax.js";
import { TARGETS } from "./targets.js";
import { TOGETHER } from "./together.js";

/** Every code that Tidegate can raise. Codes are never reused for another meaning. */
export const CATALOGUE = {
  ...SYNTAX,
  ...NAMES,
  ...LINT,
  ...TOGETHER,
  ...SUPPRESSION,
  ...TARGETS,
  ...BUNDLE,
  ...RUNTIME,
  ...STORE,
};

export type Code = keyof typeof CATALOGUE;

/** The parameters that the message of code `C` needs. */
export type ParamsOf<C extends Code> =
  (typeof CATALOGUE)[C] extends Entry<infer Name> ? Readonly<Record<Name, string | number>> : never;

export function isCode(text: string): text is Code {
  return Object.hasOwn(CATALOGUE, text);
}

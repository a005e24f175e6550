import { isTruthy } from "../scalars.js";
import { textFrom } from "../text.js";
import { errorValue } from "../value.js";
import { any, fn, give, scalar } from "./method.js";
import { type Native, namespace } from "./native.js";

export const STRING: Native = namespace(
  "String",
  fn([scalar], ([value], call) => {
    const text = textFrom(value, value.via ?? value.span, call.run);
    return text === undefined ? errorValue(call.span) : give.text(text, call);
  }),
  {},
);

export const BOOLEAN: Native = namespace(
  "Boolean",
  fn([any], ([value], call) => give.boolean(isTruthy(value), call)),
  {},
);

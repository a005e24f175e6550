import { error, message } from "../entry.js";

/** TG2xxx: names, types, shapes and values. */
export const NAMES = {
  TG2001: error(
    message`unknown field \`${"field"}\``,
    "The expression names a field that the language does not have.",
  ),
};

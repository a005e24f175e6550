import { error, message } from "../entry.js";

/** TG1xxx: the text cannot be read: TypeScript, the subset, expressions. */
export const SYNTAX = {
  TG1001: error(
    message`${"problem"}`,
    "The file is not valid TypeScript. The message is the TypeScript parser's own.",
  ),
};

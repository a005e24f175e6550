import { error, message } from "../entry.js";

/** TG2050 to TG2099: a value does not have the shape that the place needs. */
export const SHAPES = {
  TG2050: error(
    message`\`${"property"}\` is missing in ${"object"}`,
    `The property has no default, because every choice would surprise someone. Write it out.`,
    "add it; there is no default",
  ),
  TG2051: error(
    message`unknown property \`${"property"}\` in ${"object"}`,
    `Unknown properties are refused, because a misspelled one would silently do nothing.`,
    "remove it",
  ),
  TG2052: error(
    message`\`${"property"}\` is not supported yet`,
    `The option is reserved for a later version of Tidegate. It is refused rather than ignored, because a policy must
never do less than it says.`,
    "leave it out for now",
  ),
  TG2053: error(
    message`${"what"} must be ${"expected"}, not ${"found"}`,
    `The value is of another kind than this place needs. The types that "tidegate" exports say the same in an editor.`,
  ),
  TG2054: error(
    message`\`${"call"}\` takes ${"expected"} arguments, found ${"found"}`,
    `Every rule has a name and an expression: drop("bogons", expr\`…\`). A limit has a rate as well:
limit("flood", expr\`…\`, { rate: "5000/s" }). All other functions take one object or array.`,
  ),
};

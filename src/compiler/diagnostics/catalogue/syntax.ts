import { error, message } from "../entry.js";
import { EXPRESSIONS } from "./expressions.js";

/** TG1xxx: the text cannot be read: TypeScript, the subset, expressions. */
export const SYNTAX = {
  TG1001: error(
    message`${"problem"}`,
    "The file is not valid TypeScript. The message is the TypeScript parser's own.",
  ),
  TG1002: error(
    message`this is nested too deeply`,
    `Policies are read to a fixed depth, so that no file can exhaust the reader. Give the inner parts names
with \`const\` and use the names.`,
  ),
  TG1003: error(
    message`this policy takes too much work to read`,
    `Every value that a policy makes counts, and the number is limited, so that reading always ends soon. Spreads and
template strings that double their own result grow fastest. Put large data into \`list\`.`,
  ),
  TG1010: error(
    message`importing from "${"module"}" is not supported yet`,
    `Policies can import only from "tidegate" for now. Write the constants in this file.`,
  ),
  TG1011: error(
    message`a policy cannot import "${"module"}"`,
    `Policies are read, never run, so code of other packages has no meaning in them. Everything that a policy
can use comes from "tidegate".`,
  ),
  TG1012: error(
    message`"tidegate" has no \`${"name"}\``,
    `"tidegate" exports policy, edge, list, expr, allow, drop, limit, gre and their types.`,
  ),
  TG1013: error(
    message`"tidegate" must be imported by names`,
    `There is no default export, and a namespace object would hide which parts a policy uses. Write
import { policy, drop, expr } from "tidegate".`,
  ),
  TG1014: error(
    message`\`${"name"}\` is not supported yet`,
    `The name is reserved for a later version of Tidegate. It is refused rather than ignored, because a policy must
never do less than it says.`,
  ),
  TG1020: error(
    message`unknown name \`${"name"}\``,
    `Only constants of this file and names imported from "tidegate" can be used. Policies are read, not run: there is
no Math, process, JSON or other global object.`,
    'declare it with `const`, or import it from "tidegate"',
  ),
  TG1021: error(
    message`\`${"name"}\` is used before it is declared`,
    `A policy is read from top to bottom. Move the constant above its first use.`,
    "move its `const` above this line",
  ),
  TG1022: error(
    message`\`${"name"}\` is declared twice`,
    `Each name stands for one value in the whole file. Rename one of the two.`,
    "rename one of the two",
  ),
  TG1030: error(
    message`${"what"} cannot be used in a policy`,
    `A policy is read, never run, in a small part of TypeScript: imports from "tidegate", \`const\`, literals,
template strings, arrays, objects, spread, member access, arithmetic, comparison, logic, \`?:\`, calls of the
functions of "tidegate", and one \`export default\`. Everything in it ends, and nothing changes.`,
  ),
  TG1031: error(
    message`${"what"} cannot be used in a policy yet`,
    `This part of TypeScript belongs to the language of policies and is not read yet. Write the values out.`,
  ),
  TG1032: error(
    message`\`${"keyword"}\` cannot be used in a policy`,
    `Values of a policy never change, so that a reader can trust the place where a name is declared. Use \`const\`.`,
  ),
  TG1040: error(
    message`\`${"operator"}\` cannot be applied to ${"operands"}`,
    `Arithmetic works on numbers, \`+\` also joins text, and comparison needs two values of the same kind. There are no
hidden conversions.`,
  ),
  TG1041: error(
    message`${"object"} has no \`${"property"}\``,
    `Only properties that the object was written with exist, and only elements inside an array. A missing one is an
error and not \`undefined\`, because it is most often a misspelled name.`,
  ),
  TG1042: error(
    message`${"found"} cannot be called`,
    `Only the functions of "tidegate" can be called: policy, edge, list, allow, drop, limit and gre. A policy has no
functions of its own yet.`,
  ),
  TG1043: error(
    message`${"found"} cannot be spread into ${"target"}`,
    `An array takes the items of arrays, an object the properties of objects.`,
  ),
  TG1044: error(
    message`the property \`${"name"}\` is written twice`,
    `The second one would silently replace the first, also when a spread brings it. To override a property on purpose,
spread the object first: { ...base, name: value }.`,
  ),
  TG1045: error(
    message`the property name \`${"name"}\` cannot be used`,
    `In JavaScript this name changes the object itself instead of adding a property. Choose another name.`,
  ),
  TG1046: error(
    message`${"found"} cannot be taken apart as ${"pattern"}`,
    `\`const { a, b } = object\` needs an object with these properties, \`const [a, b] = array\` an array with as many
items.`,
  ),
  TG1047: error(
    message`${"found"} cannot be put into text`,
    `A template string can hold text, numbers and booleans. Lists and expressions are values of their own; interpolate
them into expr\`…\`.`,
  ),
  TG1050: error(
    message`this file exports no ${"wanted"}`,
    `A policy file ends in \`export default policy({...})\`, the operator's file in \`export default edge({...})\`.`,
  ),
  TG1051: error(
    message`this file has a second \`export default\``,
    `One file holds one policy. Put the other one into a file of its own.`,
  ),
  TG1052: error(
    message`the default export must be ${"wanted"}, not ${"found"}`,
    `A policy file ends in \`export default policy({...})\`, the operator's file in \`export default edge({...})\`.`,
  ),
  TG1053: error(
    message`this has no effect`,
    `An expression by itself does nothing in a policy. Give it a name with \`const\`, or export it as the default.`,
  ),
  TG1054: error(
    message`\`${"name"}\` must be written ${"right"}`,
    `\`expr\` is a template tag: expr\`ip.src in {10.0.0.0/8}\`. All other names from "tidegate" are functions:
drop("name", expr\`…\`). No other template tags exist.`,
  ),
  ...EXPRESSIONS,
};

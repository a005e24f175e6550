import { error, example, message } from "../entry.js";

/** TG1010–TG1019: what a module imports. */
export const IMPORTS = {
  TG1011: error(
    message`a policy cannot import "${"module"}"`,
    `Policies are read, never run, so code of other packages has no meaning in them. A policy can use "tidegate", and
its own modules and JSON files by a path that starts with "./" or "../".`,
    example("statements", 'import { readFileSync } from "node:fs";', 'import { list } from "tidegate";'),
  ),
  TG1012: error(
    message`"tidegate" has no \`${"name"}\``,
    `"tidegate" exports policy, edge, list, expr, allow, drop, limit, reject, count, log, gre and their types.`,
    example("statements", 'import { polcy } from "tidegate";', 'import { policy } from "tidegate";'),
  ),
  TG1013: error(
    message`"tidegate" must be imported by names`,
    `There is no default export, and a namespace object would hide which parts a policy uses. Write
import { policy, drop, expr } from "tidegate".`,
    example(
      "statements",
      'import * as tidegate from "tidegate";',
      'import { drop, expr, policy } from "tidegate";',
    ),
  ),
  TG1015: error(
    message`there is no module "${"module"}"`,
    `A relative import names a file by its path from the importing file: "./lists.js" or "./lists.ts" for lists.ts, and
"../shared/prefixes.json" for JSON.`,
    example("sketch", 'import { web } from "./lits.js";', 'import { web } from "./lists.js";'),
    'a path starts at this file\'s folder: "./name.js" is name.ts beside it',
  ),
  TG1016: error(
    message`"${"module"}" is outside the project: ${"how"} out of its folder`,
    `What a policy means must depend on its project alone. That is the nearest folder above the policy with a
package.json, a tsconfig.json or a .git, or else the policy's own folder. Symbolic links may not lead out of it.`,
    example(
      "sketch",
      'import shadow from "../../../etc/passwd.json";',
      'import lists from "../shared/lists.json";',
    ),
    "copy the file into the project",
  ),
  TG1017: error(
    message`"${"module"}" imports this file in turn`,
    `Each module is read once, from top to bottom, before those that import it. In a circle none can be the first. Move
what both need into a third file.`,
    example(
      "sketch",
      'import { web } from "./rules.js"; // and rules.ts imports this file',
      'import { web } from "./servers.js"; // which both files import',
    ),
    "move what both need into a file of its own",
  ),
  TG1018: error(
    message`"${"module"}" has no ${"what"}`,
    `Only what a module exports can be imported: \`export const name = …\`, \`export { name }\` or \`export default …\`. A
JSON file is one default export: \`import lists from "./lists.json"\`.`,
    example("sketch", 'import { prefixes } from "./lists.json";', 'import prefixes from "./lists.json";'),
  ),
  TG1019: error(
    message`"${"module"}" cannot be imported: it is ${"why"}`,
    `A policy can import modules of TypeScript (.ts, but no .d.ts, which has no values) and of JSON (.json), in files of
a reasonable size and in UTF-8.`,
    example("sketch", 'import lists from "./lists.yaml";', 'import lists from "./lists.json";'),
  ),
};

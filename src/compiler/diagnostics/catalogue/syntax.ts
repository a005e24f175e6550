import { error, example, message } from "../entry.js";
import { EXPRESSIONS } from "./expressions.js";

/** TG1xxx: the text cannot be read: TypeScript, the subset, expressions. */
export const SYNTAX = {
  TG1001: error(
    message`${"problem"}`,
    "The file is not valid TypeScript. The message is the TypeScript parser's own.",
    example("statements", "const port = ;", "const port = 80;"),
  ),
  TG1002: error(
    message`this is nested too deeply`,
    `Policies are read to a fixed depth, so that no file can exhaust the reader. Give the inner parts names
with \`const\` and use the names.`,
    example(
      "sketch",
      "const deep = [[[[ … 256 brackets … ]]]];",
      `const inner = [80, 443];
const outer = [inner, [8080]];`,
    ),
  ),
  TG1003: error(
    message`this policy takes too much work to read`,
    `Every value that a policy makes counts, and the number is limited, so that reading always ends soon. Spreads and
template strings that double their own result grow fastest. Put large data into \`list\`.`,
    example(
      "sketch",
      `const b = [...a, ...a];
const c = [...b, ...b]; // and so on, thirty times`,
      'const partners = list(["198.51.100.0/24", "192.0.2.128/25"]);',
    ),
  ),
  TG1010: error(
    message`importing from "${"module"}" is not supported yet`,
    `Policies can import only from "tidegate" for now. Write the constants in this file.`,
    example("statements", 'import { web } from "./lists.js";', 'const web = "203.0.113.80";'),
  ),
  TG1011: error(
    message`a policy cannot import "${"module"}"`,
    `Policies are read, never run, so code of other packages has no meaning in them. Everything that a policy
can use comes from "tidegate".`,
    example("statements", 'import { readFileSync } from "node:fs";', 'import { list } from "tidegate";'),
  ),
  TG1012: error(
    message`"tidegate" has no \`${"name"}\``,
    `"tidegate" exports policy, edge, list, expr, allow, drop, limit, gre and their types.`,
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
  TG1014: error(
    message`\`${"name"}\` is not supported yet`,
    `The name is reserved for a later version of Tidegate. It is refused rather than ignored, because a policy must
never do less than it says.`,
    example("statements", 'import { reject } from "tidegate";', 'import { drop } from "tidegate";'),
  ),
  TG1020: error(
    message`unknown name \`${"name"}\``,
    `Only constants of this file and names imported from "tidegate" can be used. Policies are read, not run: there is
no Math, process, JSON or other global object.`,
    example(
      "statements",
      `const server = "203.0.113.80";
const web = sever;`,
      `const server = "203.0.113.80";
const web = server;`,
    ),
    'declare it with `const`, or import it from "tidegate"',
  ),
  TG1021: error(
    message`\`${"name"}\` is used before it is declared`,
    `A policy is read from top to bottom. Move the constant above its first use.`,
    example(
      "statements",
      `const web = server;
const server = "203.0.113.80";`,
      `const server = "203.0.113.80";
const web = server;`,
    ),
    "move its `const` above this line",
  ),
  TG1022: error(
    message`\`${"name"}\` is declared twice`,
    `Each name stands for one value in the whole file. Rename one of the two.`,
    example(
      "statements",
      `const port = 80;
const port = 443;`,
      `const http = 80;
const https = 443;`,
    ),
    "rename one of the two",
  ),
  TG1030: error(
    message`${"what"} cannot be used in a policy`,
    `A policy is read, never run, in a small part of TypeScript: imports from "tidegate", \`const\`, literals,
template strings, arrays, objects, spread, member access, arithmetic, comparison, logic, \`?:\`, calls of the
functions of "tidegate", and one \`export default\`. Everything in it ends, and nothing changes.`,
    example("statements", "for (const port of [80, 443]) {}", "const ports = [80, 443];"),
  ),
  TG1031: error(
    message`${"what"} cannot be used in a policy yet`,
    `This part of TypeScript belongs to the language of policies and is not read yet. Write the values out.`,
    example("statements", "const ports = () => [80, 443];", "const ports = [80, 443];"),
  ),
  TG1032: error(
    message`\`${"keyword"}\` cannot be used in a policy`,
    `Values of a policy never change, so that a reader can trust the place where a name is declared. Use \`const\`.`,
    example("statements", "let port = 80;", "const port = 80;"),
  ),
  TG1040: error(
    message`\`${"operator"}\` cannot be applied to ${"operands"}`,
    `Arithmetic works on numbers, \`+\` also joins text, and comparison needs two values of the same kind. There are no
hidden conversions.`,
    example("statements", 'const late = 1 < "2";', "const late = 1 < 2;"),
  ),
  TG1041: error(
    message`${"object"} has no \`${"property"}\``,
    `Only properties that the object was written with exist, and only elements inside an array. A missing one is an
error and not \`undefined\`, because it is most often a misspelled name.`,
    example(
      "statements",
      `const web = { port: 80 };
const port = web.prot;`,
      `const web = { port: 80 };
const port = web.port;`,
    ),
  ),
  TG1042: error(
    message`${"found"} cannot be called`,
    `Only the functions of "tidegate" can be called: policy, edge, list, allow, drop, limit and gre. A policy has no
functions of its own yet.`,
    example(
      "statements",
      `const port = 80;
const next = port();`,
      `const port = 80;
const next = port + 1;`,
    ),
  ),
  TG1043: error(
    message`${"found"} cannot be spread into ${"target"}`,
    `An array takes the items of arrays, an object the properties of objects.`,
    example("statements", "const ports = [...80, 443];", "const ports = [...[80], 443];"),
  ),
  TG1044: error(
    message`the property \`${"name"}\` is written twice`,
    `The second one would silently replace the first, also when a spread brings it. To override a property on purpose,
spread the object first: { ...base, name: value }.`,
    example("statements", "const web = { port: 80, port: 443 };", "const web = { http: 80, https: 443 };"),
  ),
  TG1045: error(
    message`the property name \`${"name"}\` cannot be used`,
    `In JavaScript this name changes the object itself instead of adding a property. Choose another name.`,
    example("statements", "const web = { __proto__: 6 };", "const web = { proto: 6 };"),
  ),
  TG1046: error(
    message`${"found"} cannot be taken apart as ${"pattern"}`,
    `\`const { a, b } = object\` needs an object with these properties, \`const [a, b] = array\` an array with as many
items.`,
    example("statements", "const { port } = 80;", "const { port } = { port: 80 };"),
  ),
  TG1047: error(
    message`${"found"} cannot be put into text`,
    `A template string can hold text, numbers and booleans. Lists and expressions are values of their own; interpolate
them into expr\`…\`.`,
    example(
      "statements",
      `const title = \`ports \${[80, 443]}\`;`,
      `const title = \`ports \${80} and \${443}\`;`,
    ),
  ),
  TG1050: error(
    message`this file exports no ${"wanted"}`,
    `A policy file ends in \`export default policy({...})\`, the operator's file in \`export default edge({...})\`.`,
    example(
      "file",
      'const customer = "acme";',
      `import { policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
});`,
    ),
  ),
  TG1051: error(
    message`this file has a second \`export default\``,
    `One file holds one policy. Put the other one into a file of its own.`,
    example(
      "statements",
      `const acme = {
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
} as const;
export default policy(acme);
export default policy(acme);`,
      `const acme = {
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
} as const;
export default policy(acme);`,
    ),
  ),
  TG1052: error(
    message`the default export must be ${"wanted"}, not ${"found"}`,
    `A policy file ends in \`export default policy({...})\`, the operator's file in \`export default edge({...})\`.`,
    example(
      "statements",
      `export default {
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
};`,
      `export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
});`,
    ),
  ),
  TG1053: error(
    message`this has no effect`,
    `An expression by itself does nothing in a policy. Give it a name with \`const\`, or export it as the default.`,
    example(
      "statements",
      'drop("telnet", expr`tcp.dstport == 23`);',
      'const telnet = drop("telnet", expr`tcp.dstport == 23`);',
    ),
  ),
  TG1054: error(
    message`\`${"name"}\` must be written ${"right"}`,
    `\`expr\` is a template tag: expr\`ip.src in {10.0.0.0/8}\`. All other names from "tidegate" are functions:
drop("name", expr\`…\`). No other template tags exist.`,
    example("statements", 'const web = expr("tcp.dstport == 80");', "const web = expr`tcp.dstport == 80`;"),
  ),
  ...EXPRESSIONS,
};

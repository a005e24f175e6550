import { error, example, message } from "../entry.js";
import { EXPRESSIONS } from "./expressions.js";
import { IMPORTS } from "./imports.js";

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
    `Every value that a policy makes counts, and the number is limited, so that reading always ends soon. Spreads,
texts and calls that double their own result grow fastest. Put large data into a .json file and import it.`,
    example(
      "sketch",
      `const b = [...a, ...a];
const c = [...b, ...b]; // and so on, thirty times`,
      `import prefixes from "./partners.json";
const partners = list(prefixes);`,
    ),
    "put large data into a .json file and import it",
  ),
  TG1004: error(
    message`this is not JSON: here should be ${"expected"}`,
    `The file must hold one JSON value (RFC 8259): double quotes around names and texts, no comma behind the last item, no
comments. Nothing behind the first mistake is read.`,
    example("sketch", '["192.0.2.0/24", ]', '["192.0.2.0/24"]'),
  ),
  TG1005: error(
    message`this file is too large to read: it has more than ${"most"} brackets, commas and the like`,
    `Reading TypeScript takes time with every sign, and a policy must be read within a second. Put long lists into a .json
file, which is read much faster, and import it.`,
    example("sketch", "const prefixes = [ … a million items … ];", 'import prefixes from "./prefixes.json";'),
    "put large data into a .json file and import it",
  ),
  TG1006: error(
    message`the character ${"character"} ${"does"}`,
    `What a policy says must be what its readers see. Characters that turn the direction of text around can make a rule
look like a comment, and characters without a shape make two names differ that look the same. Leave them out; in a
text that needs one, write it as an escape: "\\u200d".`,
    example("sketch", "// <U+202E>;)pu srewol( eman a", "// a name (lowers up);"),
    'leave it out, or write it as an escape such as "\\u200b"',
  ),
  ...IMPORTS,
  TG1020: error(
    message`unknown name \`${"name"}\``,
    `Only names that this file declares or imports can be used, and of JavaScript's own Array, Boolean, Math, Number,
Object, String, parseInt and parseFloat. Policies are read, not run: there is no process, no clock and no network.`,
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
    `A policy is read from top to bottom. Move the constant above its first use. A function may use a constant below it,
but must be called behind that.`,
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
    `Each name stands for one value in its file or function. Rename one of the two.`,
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
    `A policy is read, never run, in a part of TypeScript: imports, \`const\`, literals, template strings, arrays, objects,
spread, member access, arithmetic, comparison, logic, \`?:\`, functions of \`const\` and \`return\`, the methods of arrays
and texts that change nothing, and one \`export default\`. Everything in it ends, and nothing changes.`,
    example("statements", "for (const port of [80, 443]) {}", "const ports = [80, 443];"),
  ),
  TG1032: error(
    message`\`${"keyword"}\` cannot be used in a policy`,
    `Values of a policy never change, so that a reader can trust the place where a name is declared. Use \`const\`.`,
    example("statements", "let port = 80;", "const port = 80;"),
  ),
  TG1034: error(
    message`\`${"name"}\` is not part of the language of policies`,
    `Values of a policy never change, and a policy means the same each time and everywhere. So there are no methods that
change an array or object in place, none that depend on the machine, and no regular expressions.`,
    example(
      "statements",
      `const ports = [443, 80];
const sorted = ports.sort((a, b) => a - b);`,
      `const ports = [443, 80];
const sorted = ports.toSorted((a, b) => a - b);`,
    ),
  ),
  TG1035: error(
    message`argument ${"nth"} of \`${"name"}\` must be ${"wants"}, not ${"found"}`,
    `The functions and methods of JavaScript take what they were made for. There are no hidden conversions, because their
results surprise: \`"10" < "9"\` holds.`,
    example("statements", 'const parts = "a.b".split(1);', 'const parts = "a.b".split(".");'),
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
error and not \`undefined\`, because it is most often a misspelled name. Where it may be missing, say so:
\`web.port ?? 80\`, \`web?.port\`, \`web.port === undefined\`, or \`const { port = 80 } = web\`.`,
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
    `Functions can be called: those of "tidegate", those that the policy writes, \`const f = (name) => …\`, and the pure
ones of JavaScript, such as Object.entries and Math.max.`,
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
    `The second one would silently replace the first. To override a property on purpose, spread one object behind the
other: \`{ ...defaults, name: value }\`, or \`{ name: value, ...options }\`.`,
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
  TG1055: error(
    message`${"name"} takes ${"expected"}, and this call gives ${"found"}`,
    `A parameter without a value would be undefined, and an argument without a parameter would be lost. Parameters that
may be left out have a default: \`(name, port = 80) => …\`.`,
    example(
      "statements",
      `const web = (host: string, port: number) => \`\${host}:\${port}\`;
const name = web("203.0.113.80");`,
      `const web = (host: string, port = 80) => \`\${host}:\${port}\`;
const name = web("203.0.113.80");`,
    ),
  ),
  TG1056: error(
    message`this function gives no value`,
    `Nothing in a policy has an effect but the values that it makes, so every function ends in \`return value;\`. To choose
between two values, write \`return condition ? one : other;\`.`,
    example(
      "statements",
      `const double = (port: number) => { const twice = port * 2; };
const port = double(40);`,
      `const double = (port: number) => { const twice = port * 2; return twice; };
const port = double(40);`,
    ),
    "end it with `return value;`",
  ),
  TG1057: error(
    message`\`${"name"}\` is exported twice`,
    `Whoever imports the name could mean either. Export one of the two under another name: \`export { a as b }\`.`,
    example(
      "statements",
      `const http = 80, https = 443;
export { http as port, https as port };`,
      `const http = 80, https = 443;
export { http, https };`,
    ),
    "export one of the two under another name",
  ),
  TG1060: error(
    message`the calls of ${"name"} go too deep`,
    `A function that calls itself must come to an end after a few dozen calls; this one went on, and reading the policy
stopped here. Most often an array method says the same without recursion: \`ports.map((port) => …)\`.`,
    example(
      "statements",
      `const count = (n: number): number => count(n + 1);
const all = count(0);`,
      `const count = (n: number): number => (n >= 8 ? n : count(n + 1));
const all = count(0);`,
    ),
    "make it end, or write `array.map(…)` or `Array.from(…)`",
  ),
  ...EXPRESSIONS,
};

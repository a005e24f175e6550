import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { GLOBALS } from "./natives.js";
import type { Value } from "./value.js";

export function evaluateIdentifier(node: TSESTree.Identifier, run: Evaluation): Value {
  const { name } = node;
  const span = run.spanOf(node);
  const value = run.scope.lookUp(name);
  if (value === "announced") return run.refuse("TG1021", node, { name });
  if (value) return { ...value, via: span };
  return globalValue(name, node, run) ?? run.refuse("TG1020", node, { name }, { hint: hintFor(name, run) });
}

function globalValue(name: string, node: TSESTree.Identifier, run: Evaluation): Value | undefined {
  const span = run.spanOf(node);
  if (name === "undefined") return { kind: "undefined", span };
  const known = GLOBALS.get(name);
  if (known === undefined) return undefined;
  return typeof known === "number"
    ? { kind: "number", value: known, span }
    : { kind: "native", native: known, span };
}

/** What to write instead of the parts of JavaScript that reach outside, or that change from run to run. */
const OUTSIDE: ReadonlyMap<string, string> = new Map([
  ["require", 'write `import { name } from "./file.js"` at the top of the file'],
  ["process", "a policy has no environment; write the value as a constant"],
  ["globalThis", "a policy has no environment; write the value as a constant"],
  ["console", "a policy prints nothing; leave it out"],
  ["fetch", 'keep the data in a file: `import data from "./data.json"`'],
  ["JSON", 'import the file itself: `import data from "./data.json"`'],
  ["Date", "a policy means the same at all times; write the value as a constant"],
  ["eval", "a policy is read, never run; write the value itself"],
  ["Function", "a policy is read, never run; write an arrow function"],
  ["Set", "use an array, and `.includes(…)`"],
  ["Map", "use an object, and `Object.entries(…)`"],
]);

/** Looking for a similar name among thousands takes its time, and a text with so many mistakes is not misspelled. */
const MAX_SUGGESTIONS = 100;

function similarName(name: string, run: Evaluation): string | undefined {
  return run.diagnostics.errors < MAX_SUGGESTIONS ? run.scope.suggest(name) : undefined;
}

function hintFor(name: string, run: Evaluation): string | undefined {
  const suggestion = OUTSIDE.get(name) ?? similarName(name, run);
  // A letter of another script may look the same, and then a suggestion alone would say nothing.
  const foreign = [...name].find((character) => character > "\x7f");
  if (foreign === undefined || suggestion === undefined) return suggestion;
  const code = (foreign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `${suggestion} \`${foreign}\` is the character U+${code}, which only looks familiar`;
}

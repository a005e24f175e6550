import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { evaluateCall, evaluateTaggedTemplate } from "./calls.js";
import { evaluateArray, evaluateObject } from "./collections.js";
import type { Evaluation } from "./evaluation.js";
import { evaluateArrow } from "./functions.js";
import { evaluateLiteral, evaluateTemplate } from "./literals.js";
import { evaluateChain, evaluateMember } from "./members.js";
import { evaluateIdentifier } from "./names.js";
import { evaluateBinary, evaluateConditional, evaluateLogical, evaluateUnary } from "./operators.js";
import { never } from "./refusals.js";
import type { Value } from "./value.js";

type NodeType = TSESTree.Expression["type"];
type Evaluate<T extends NodeType> = (
  node: Extract<TSESTree.Expression, { type: T }>,
  run: Evaluation,
) => Value;

const replaced = never("assignment", "declare a new constant: `const name = value`");
const remade = never("assignment", "make a new object, `{ ...object, name: value }`, or a new array");
const exported = never("assignment", "write `export default policy({…})`");
const waited = never("waiting", "write the value itself; a policy has no input or output");
const markup = never("JSX", "write the value itself");
const pattern = never("a pattern", "take values apart in a `const` declaration");
const classes = never("a class", "use objects and constants");

/** Every kind of expression that TypeScript has, with its meaning or the reason why it has none. */
const EXPRESSIONS: { readonly [T in NodeType]: Evaluate<T> } = {
  Literal: evaluateLiteral,
  TemplateLiteral: evaluateTemplate,
  Identifier: evaluateIdentifier,
  MemberExpression: evaluateMember,
  ArrayExpression: evaluateArray,
  ObjectExpression: evaluateObject,
  UnaryExpression: evaluateUnary,
  BinaryExpression: evaluateBinary,
  LogicalExpression: evaluateLogical,
  ConditionalExpression: evaluateConditional,
  CallExpression: evaluateCall,
  TaggedTemplateExpression: evaluateTaggedTemplate,
  ArrowFunctionExpression: evaluateArrow,
  ChainExpression: evaluateChain,
  // Types change no value; what an author claims with them is checked again where the value is used.
  TSSatisfiesExpression: untyped,
  TSAsExpression: untyped,
  TSTypeAssertion: untyped,
  TSNonNullExpression: untyped,
  TSInstantiationExpression: untyped,

  FunctionExpression: never("`function`", "write an arrow function: `(a, b) => value`"),
  AssignmentExpression: (node, run) => changed(node.left, node, run),
  UpdateExpression: (node, run) => changed(node.argument, node, run),
  ArrayPattern: pattern,
  ObjectPattern: pattern,
  AwaitExpression: waited,
  YieldExpression: waited,
  ImportExpression: never("`import()`", "import by names at the top of the file"),
  MetaProperty: never("`import.meta`", "write the value itself"),
  NewExpression: (node, run) => never("`new`", insteadOfNew(node))(node, run),
  ClassExpression: classes,
  ThisExpression: never("`this`", "use constants"),
  Super: classes,
  SequenceExpression: never("the comma operator", "write one value"),
  JSXElement: markup,
  JSXFragment: markup,
};

const unknownSyntax = never("this syntax", "write the value itself");

export function evaluateExpression(node: TSESTree.Expression, run: Evaluation): Value {
  // The table's type ties each node type to its function; the compiler cannot follow that through a lookup.
  const evaluate = EXPRESSIONS[node.type] as Evaluate<NodeType> | undefined;
  // The parser lets pass what its types do not know as an expression, such as `[#name]`.
  return evaluate ? evaluate(node, run) : unknownSyntax(node, run);
}

/** What is meant by the constructors that authors know. */
const INSTEAD_OF_NEW: ReadonlyMap<string, string> = new Map([
  ["Date", "write the time as a constant; a policy has no clock"],
  ["Map", "use an object, and `Object.entries`"],
  ["Set", "use an array, and `includes`"],
  ["RegExp", "use `startsWith`, `includes` or `split`"],
  ["Array", "write `[…]`, or `Array.from({ length: n }, (_, i) => …)`"],
]);

function insteadOfNew({ callee }: TSESTree.NewExpression): string {
  const known = callee.type === "Identifier" ? INSTEAD_OF_NEW.get(callee.name) : undefined;
  return known ?? "use arrays, objects and `list`";
}

function changed(target: TSESTree.Node, node: TSESTree.Expression, run: Evaluation): Value {
  if (target.type !== "MemberExpression") return replaced(node, run);
  return isCommonJs(target) ? exported(node, run) : remade(node, run);
}

/** `module.exports = …`, `exports.name = …`: exports as Node had them before modules. */
function isCommonJs({ object }: TSESTree.MemberExpression): boolean {
  return object.type === "Identifier" && (object.name === "module" || object.name === "exports");
}

function untyped(node: { readonly expression: TSESTree.Expression }, run: Evaluation): Value {
  return run.evaluate(node.expression);
}

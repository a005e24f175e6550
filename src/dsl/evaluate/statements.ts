import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { functionOf } from "./functions.js";
import { bind, declare, namesIn } from "./patterns.js";
import { never } from "./refusals.js";
import { errorValue, UNNAMED_LIST, type Value } from "./value.js";

type NodeType = TSESTree.ProgramStatement["type"];
type Run<T extends NodeType> = (
  node: Extract<TSESTree.ProgramStatement, { type: T }>,
  run: Evaluation,
) => void;

const nothing = (): void => {};
const choice = (keyword: string) =>
  never(`\`${keyword}\``, "choose between values with `condition ? one : other`");
const failure = (keyword: string) =>
  never(`\`${keyword}\``, "leave it out: a policy has no failures of its own");
const loop = never("a loop", "write `array.map((item) => …)`, or `Array.from({ length: n }, (_, i) => …)`");
const exports = never("`export =`", "write `export default policy({…})`");
const module = never("a namespace", "use constants");

/**
 * Every kind of statement, with its meaning or the reason why it has none. Functions are declared before all others,
 * module.ts reads imports and exports, functions.ts reads `return`.
 */
const STATEMENTS: { readonly [T in NodeType]: Run<T> } = {
  VariableDeclaration: readVariables,
  ExpressionStatement: readExpressionStatement,
  ImportDeclaration: nothing,
  ExportDefaultDeclaration: nothing,
  ExportNamedDeclaration: nothing,
  ExportAllDeclaration: nothing,
  FunctionDeclaration: nothing,
  TSDeclareFunction: nothing,
  EmptyStatement: nothing,
  TSInterfaceDeclaration: nothing,
  TSTypeAliasDeclaration: nothing,

  ClassDeclaration: never("a class", "use objects and constants"),
  TSEnumDeclaration: never("an enum", "use an object: `const ports = { ftp: 21 } as const`"),
  TSModuleDeclaration: module,
  TSNamespaceExportDeclaration: module,
  TSImportEqualsDeclaration: never("`import =`", 'write `import { policy } from "tidegate"`'),
  TSExportAssignment: exports,
  IfStatement: choice("if"),
  SwitchStatement: choice("switch"),
  ForStatement: loop,
  ForInStatement: loop,
  ForOfStatement: loop,
  WhileStatement: loop,
  DoWhileStatement: loop,
  BlockStatement: never("a block", "write its declarations at the top of the file"),
  LabeledStatement: never("a label", "leave it out"),
  BreakStatement: choice("break"),
  ContinueStatement: choice("continue"),
  ReturnStatement: never("`return` outside a function", "write `export default policy({…})`"),
  ThrowStatement: failure("throw"),
  TryStatement: failure("try"),
  WithStatement: never("`with`", "take values apart in a `const` declaration"),
  DebuggerStatement: never("`debugger`", "leave it out"),
};

export function readStatement(node: TSESTree.ProgramStatement, run: Evaluation): void {
  // As in expressions.ts: the table's type ties each node type to its function.
  const read = STATEMENTS[node.type] as Run<NodeType>;
  read(node, run);
}

function readVariables(node: TSESTree.VariableDeclaration, run: Evaluation): void {
  if (node.declare) {
    run.refuse("TG1030", node, { what: "`declare`" }, { hint: "write the value itself" });
  } else if (node.kind !== "const") {
    const [start] = node.range;
    const keyword = run.source.span(start, start + node.kind.length);
    run.diagnostics.report("TG1032", keyword, { keyword: node.kind }, { hint: "write `const`" });
  }
  for (const { id, init } of node.declarations) {
    const value = init ? run.evaluate(init) : errorValue(run.spanOf(id));
    bind(id, init ? named(value, id, init) : value, run);
  }
}

/** A list is known by the constant that holds it, if the constant is where it was made. */
function named(value: Value, id: TSESTree.Node, init: TSESTree.Expression): Value {
  const isMadeHere = withoutTypes(init).type === "CallExpression";
  if (value.kind !== "list" || id.type !== "Identifier" || !isMadeHere) return value;
  // A function may give out a list that has its name already, and must stay the same list.
  if (value.list.name !== UNNAMED_LIST) return value;
  return { ...value, list: { ...value.list, name: id.name } };
}

function withoutTypes(node: TSESTree.Expression): TSESTree.Expression {
  switch (node.type) {
    case "TSSatisfiesExpression":
    case "TSAsExpression":
    case "TSTypeAssertion":
    case "TSNonNullExpression":
      return withoutTypes(node.expression);
    default:
      return node;
  }
}

function readExpressionStatement(node: TSESTree.ExpressionStatement, run: Evaluation): void {
  if (node.directive !== undefined) return;
  const value = run.evaluate(node.expression);
  if (value.kind === "error") return;
  const isPolicy = value.kind === "policy" || value.kind === "edge";
  run.refuse("TG1053", node, {}, { hint: isPolicy ? "write `export default` before it" : undefined });
}

/** Makes the names of a block's or module's constants and functions known. */
export function announceDeclared(body: readonly TSESTree.Node[], run: Evaluation): void {
  for (const name of body.flatMap(declaredNames)) run.scope.announce(name);
}

/** `function name() {…}` is there from the start of its scope on (ECMA-262, 14.1.1). */
export function declareFunctions(body: readonly TSESTree.Node[], run: Evaluation): void {
  for (const node of body.map(declarationOf)) {
    if (node?.type === "FunctionDeclaration" && node.id) declare(node.id, functionOf(node, run), run);
  }
}

function declaredNames(node: TSESTree.Node): readonly string[] {
  const declaration = declarationOf(node);
  switch (declaration?.type) {
    case "VariableDeclaration":
      return declaration.declarations.flatMap(({ id }) => namesIn(id));
    case "FunctionDeclaration":
      return declaration.id ? [declaration.id.name] : [];
    default:
      return [];
  }
}

function declarationOf(node: TSESTree.Node): TSESTree.Node | null {
  return node.type === "ExportNamedDeclaration" ? node.declaration : node;
}

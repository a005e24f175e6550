import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import { bind } from "./patterns.js";
import { never, notYet } from "./refusals.js";
import { errorValue, type Value } from "./value.js";

type NodeType = TSESTree.ProgramStatement["type"];
type Run<T extends NodeType> = (
  node: Extract<TSESTree.ProgramStatement, { type: T }>,
  run: Evaluation,
) => void;

const nothing = (): void => {};
const choice = never("a statement", "choose between values with `condition ? one : other`");
const loop = never("a loop", "write the values out");
const functions = notYet("a function", "write the values out");
const exports = never("this export", "write `export default policy({…})`");
const module = never("a namespace", "use constants");

/** Every kind of statement, with its meaning or the reason why it has none. module.ts reads imports and the export. */
const STATEMENTS: { readonly [T in NodeType]: Run<T> } = {
  VariableDeclaration: readVariables,
  ExportNamedDeclaration: readNamedExport,
  ExpressionStatement: readExpressionStatement,
  ImportDeclaration: nothing,
  ExportDefaultDeclaration: nothing,
  EmptyStatement: nothing,
  TSInterfaceDeclaration: nothing,
  TSTypeAliasDeclaration: nothing,

  FunctionDeclaration: functions,
  TSDeclareFunction: functions,
  ClassDeclaration: never("a class", "use objects and constants"),
  TSEnumDeclaration: never("an enum", "use an object: `const ports = { ftp: 21 } as const`"),
  TSModuleDeclaration: module,
  TSNamespaceExportDeclaration: module,
  TSImportEqualsDeclaration: never("`import =`", 'write `import { policy } from "tidegate"`'),
  TSExportAssignment: exports,
  ExportAllDeclaration: exports,
  IfStatement: choice,
  SwitchStatement: choice,
  ForStatement: loop,
  ForInStatement: loop,
  ForOfStatement: loop,
  WhileStatement: loop,
  DoWhileStatement: loop,
  BlockStatement: never("a block", "write its declarations at the top of the file"),
  LabeledStatement: never("a label", "leave it out"),
  BreakStatement: choice,
  ContinueStatement: choice,
  ReturnStatement: choice,
  ThrowStatement: choice,
  TryStatement: choice,
  WithStatement: choice,
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
  return { ...value, list: { ...value.list, name: id.name } };
}

function withoutTypes(node: TSESTree.Expression): TSESTree.Expression {
  const isTyped = node.type === "TSSatisfiesExpression" || node.type === "TSAsExpression";
  return isTyped ? withoutTypes(node.expression) : node;
}

/** `export const` is a constant; other named exports would be a second way to say what a policy is. */
function readNamedExport(node: TSESTree.ExportNamedDeclaration, run: Evaluation): void {
  if (node.exportKind === "type") return;
  if (node.declaration) readStatement(node.declaration as TSESTree.ProgramStatement, run);
  else exports(node, run);
}

function readExpressionStatement(node: TSESTree.ExpressionStatement, run: Evaluation): void {
  if (node.directive !== undefined) return;
  const value = run.evaluate(node.expression);
  if (value.kind === "error") return;
  const isPolicy = value.kind === "policy" || value.kind === "edge";
  run.refuse("TG1053", node, {}, { hint: isPolicy ? "write `export default` before it" : undefined });
}

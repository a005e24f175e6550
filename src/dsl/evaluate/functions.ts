import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Label } from "../../compiler/diagnostics/diagnostic.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Evaluation } from "./evaluation.js";
import { bind, identifiersIn, isOptional, namesIn } from "./patterns.js";
import type { Reading } from "./reading.js";
import { announceDeclared, declareFunctions, readStatement } from "./statements.js";
import { errorValue, type UserFunction, type Value } from "./value.js";

/** Where and how a function is called. */
export interface CallSite {
  /** The call, or for a callback the place that it was written at. */
  readonly span: Span;
  /** What a mistake in the function says of the call. */
  readonly label: Label | null;
  /** What stands for the function there. */
  readonly callee: Span;
  /** Callbacks are given more than they need to take; who calls by hand gives what is asked for. */
  readonly exact: boolean;
}

/** A call makes a scope, which takes the time and memory of several values. */
const CALL_COST = 8;

/** `(a, b) => …`: its body is read when it is called, in the scope that it was written in. */
export function evaluateArrow(node: TSESTree.ArrowFunctionExpression, run: Evaluation): Value {
  if (node.async || node.generator) return refuseKind(node, run);
  return functionValue({ name: null, node, run });
}

/** `function name() {…}` means the same, and its name is known in the whole scope. */
export function functionOf(node: TSESTree.FunctionDeclaration, run: Evaluation): Value {
  if (node.async || node.generator) return refuseKind(node, run);
  return functionValue({ name: node.id?.name ?? null, node, run });
}

function functionValue(fn: UserFunction): Value {
  fn.run.reading.noteFunction(fn);
  return { kind: "function", fn, span: fn.run.spanOf(fn.node) };
}

function refuseKind(node: UserFunction["node"], run: Evaluation): Value {
  const what = node.async ? "an async function" : "a generator";
  return run.refuse("TG1030", node, { what }, { hint: "write a plain function: `(a, b) => value`" });
}

export function callFunction(fn: UserFunction, args: readonly Value[], site: CallSite): Value {
  const { reading } = fn.run;
  if (site.exact && !checkCount(fn, args, site)) return errorValue(site.span);
  reading.noteCall(fn);
  if (!fn.run.spend(CALL_COST, site.span)) return errorValue(site.span);
  const read = () => readBody(fn, args, site);
  const { label } = site;
  const result = reading.called(() => (label ? reading.diagnostics.within(label, read) : read()));
  if (result) return { ...result, via: site.span };
  reading.diagnostics.report("TG1060", site.span, { name: nameOf(fn) }, { related: [declared(fn)] });
  return errorValue(site.span);
}

/**
 * Reads the functions that nobody called, for the mistakes in them: with arguments that could not be read, of which
 * nothing is known and nothing is reported.
 */
export function readUncalled(reading: Reading): void {
  for (let fn = reading.nextUncalled(); fn; fn = reading.nextUncalled()) {
    const span = fn.run.spanOf(fn.node);
    const args = fn.node.params.map(() => errorValue(span));
    callFunction(fn, args, { span, label: null, callee: span, exact: false });
  }
}

function nameOf({ name }: UserFunction): string {
  return name === null ? "this function" : `\`${name}\``;
}

function declared({ node, run }: UserFunction): { span: Span; text: string } {
  return { span: run.spanOf(node), text: "the function is written here" };
}

function checkCount(fn: UserFunction, args: readonly Value[], { span }: CallSite): boolean {
  const { params } = fn.node;
  const least = params.findLastIndex((param) => !isOptional(param)) + 1;
  const most = params.at(-1)?.type === "RestElement" ? Number.POSITIVE_INFINITY : params.length;
  if (args.length >= least && args.length <= most) return true;
  // What could not be read may stand for any number of arguments.
  if (args.some(({ kind }) => kind === "error")) return false;
  const expected =
    least === most ? `${least}` : most < least + 2 ? `${least} or ${most}` : `at least ${least}`;
  const plural = expected === "1" ? "argument" : "arguments";
  fn.run.diagnostics.report(
    "TG1055",
    span,
    { name: nameOf(fn), expected: `${expected} ${plural}`, found: args.length },
    { related: [declared(fn)] },
  );
  return false;
}

function readBody(fn: UserFunction, args: readonly Value[], site: CallSite): Value {
  const run = fn.run.inner();
  const { params, body } = fn.node;
  for (const name of params.flatMap(namesIn)) run.scope.announce(name);
  params.forEach((param, index) => {
    if (param.type === "RestElement") {
      bind(param.argument, { kind: "array", items: args.slice(index), span: site.span }, run);
    } else bind(param, args[index] ?? { kind: "undefined", span: site.span }, run);
  });
  if (body.type !== "BlockStatement") return run.evaluate(body);
  refuseHiddenParams(params, body, run);
  return readBlock(body, run.inner());
}

/** A constant of the body cannot have a parameter's name (ECMA-262, 15.2.1). */
function refuseHiddenParams(
  params: readonly TSESTree.Node[],
  { body }: TSESTree.BlockStatement,
  run: Evaluation,
): void {
  const taken = new Map(params.flatMap(identifiersIn).map((param) => [param.name, param]));
  for (const statement of body) {
    if (statement.type !== "VariableDeclaration") continue;
    for (const name of statement.declarations.flatMap(({ id }) => identifiersIn(id))) {
      const first = taken.get(name.name);
      const related = first && [{ span: run.spanOf(first), text: "first declared here" }];
      if (related) run.refuse("TG1022", name, { name: name.name }, { related });
    }
  }
}

/** Constants and functions, and at the end the value. */
function readBlock(block: TSESTree.BlockStatement, run: Evaluation): Value {
  announceDeclared(block.body, run);
  declareFunctions(block.body, run);
  for (const [index, statement] of block.body.entries()) {
    if (statement.type !== "ReturnStatement") {
      readStatement(statement, run);
      continue;
    }
    const behind = block.body.slice(index + 1).find(({ type }) => type !== "FunctionDeclaration");
    if (behind) run.refuse("TG1053", behind, {}, { hint: "nothing behind `return` is read; leave it out" });
    if (statement.argument) return run.evaluate(statement.argument);
  }
  const refused = block.body.some((statement) => BRANCHES.has(statement.type));
  if (refused) return errorValue(run.spanOf(block));
  return run.refuse("TG1056", block, {});
}

/** Statements that may hold the `return`; that they cannot stand here is reported. */
const BRANCHES: ReadonlySet<string> = new Set([
  ...["IfStatement", "SwitchStatement", "TryStatement", "BlockStatement", "ThrowStatement"],
  ...["ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"],
]);

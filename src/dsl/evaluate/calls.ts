import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Span } from "../../compiler/diagnostics/span.js";
import { makeFilter, type TemplateBody } from "../builtins/expr.js";
import { callBuiltin } from "../builtins/index.js";
import { holesOf } from "../expr-templates.js";
import { spreadItems } from "./collections.js";
import type { Evaluation } from "./evaluation.js";
import { type CallSite, callFunction } from "./functions.js";
import { isInherited, memberOf, passedOver, passesOver, propertyKey, refuseMember } from "./members.js";
import { methodsOf } from "./methods/index.js";
import type { MethodCall } from "./methods/method.js";
import { describe, errorValue, type FunctionValue, isFunction, type Value } from "./value.js";

export function evaluateCall(node: TSESTree.CallExpression, run: Evaluation): Value {
  const callee = withoutAssertion(node.callee);
  if (callee.type === "MemberExpression") return callMember(node, callee, run);
  return callValue(run.evaluate(callee), node, run);
}

function withoutAssertion(node: TSESTree.Expression): TSESTree.Expression {
  return node.type === "TSNonNullExpression" ? withoutAssertion(node.expression) : node;
}

/** `object.name(…)`: a method, or a function that the object holds. */
function callMember(
  node: TSESTree.CallExpression,
  callee: TSESTree.MemberExpression,
  run: Evaluation,
): Value {
  const object = run.evaluate(callee.object);
  if (passesOver(object, callee.optional)) return passedOver(node, run);
  const key = propertyKey(callee, run);
  if (object.kind === "error" || key === undefined) return callValue(errorValue(object.span), node, run);
  const held = memberOf(object, key, callee, run);
  if (held) return callValue(held, node, run);
  const method = methodsOf(object)?.known.get(String(key));
  const mayBeMissing = node.optional && object.kind === "object" && !isInherited(object, key);
  if (!method && mayBeMissing) return passedOver(node, run);
  if (!method) return callValue(refuseMember(object, key, callee, run), node, run);
  const args = evaluateArguments(node, run);
  return method(object, methodCall(String(key), args, node, run));
}

function methodCall(
  name: string,
  args: readonly Value[],
  node: TSESTree.CallExpression,
  run: Evaluation,
): MethodCall {
  return { name, args, span: run.spanOf(node), exact: true, run };
}

function callValue(callee: Value, node: TSESTree.CallExpression, run: Evaluation): Value {
  if (passesOver(callee, node.optional)) return passedOver(node, run);
  // Arguments may hold mistakes of their own, also when nothing can be called with them.
  const args = evaluateArguments(node, run);
  if (callee.kind === "error") return errorValue(run.spanOf(node));
  if (!isFunction(callee)) return run.refuse("TG1042", node.callee, { found: describe(callee) });
  const span = run.spanOf(node);
  const site = { span, label: { span, text: "called here" }, callee: run.spanOf(node.callee), exact: true };
  return run.call(callee, args, site);
}

function evaluateArguments(node: TSESTree.CallExpression, run: Evaluation): readonly Value[] {
  return node.arguments.flatMap((argument) =>
    argument.type === "SpreadElement" ? spreadItems(argument, run) : [run.evaluate(argument)],
  );
}

/** Calls whatever can be called. */
export function invoke(
  callee: FunctionValue,
  args: readonly Value[],
  site: CallSite,
  run: Evaluation,
): Value {
  const { span } = site;
  switch (callee.kind) {
    case "function":
      return callFunction(callee.fn, args, site);
    case "native": {
      const { native } = callee;
      if (native.call) return native.call({ name: native.name, args, span, exact: site.exact, run });
      run.diagnostics.report("TG1042", site.callee, { found: `\`${native.name}\`` });
      return errorValue(span);
    }
    case "builtin":
      if (callee.name === "expr") {
        run.diagnostics.report("TG1054", site.callee, { name: "expr", right: "as a template: expr`…`" });
        return errorValue(span);
      }
      if (!payFor(args, ARGUMENT_LEVELS, span, run)) return errorValue(span);
      return noted(callBuiltin(callee.name, { span, callee: site.callee, args }, run.diagnostics), run);
  }
}

/** As deep as the functions of "tidegate" look: `policy({ firewall: { rules: [rule] } })`. */
const ARGUMENT_LEVELS = 4;

/** Pays for all values that a function of "tidegate" looks at, level by level: parts may be shared many times. */
function payFor(values: readonly Value[], levels: number, span: Span, run: Evaluation): boolean {
  if (!run.spend(values.length, span)) return false;
  return levels === 1 || values.every((value) => payFor(partsOf(value), levels - 1, span, run));
}

function partsOf(value: Value): readonly Value[] {
  if (value.kind === "array") return value.items;
  return value.kind === "object" ? [...value.properties.values()].map((property) => property.value) : [];
}

export function evaluateTaggedTemplate(node: TSESTree.TaggedTemplateExpression, run: Evaluation): Value {
  const span = run.spanOf(node);
  const tag = run.evaluate(node.tag);
  if (tag.kind === "error") return errorValue(span);
  if (tag.kind !== "builtin") {
    return isFunction(tag)
      ? run.refuse("TG1054", node.tag, {
          name: run.source.text.slice(...node.tag.range),
          right: "as a call, with parentheses",
        })
      : run.refuse("TG1042", node.tag, { found: describe(tag) });
  }
  if (tag.name !== "expr") {
    return run.refuse("TG1054", node.tag, { name: tag.name, right: "as a call, with parentheses" });
  }
  const values = node.quasi.expressions.map((expression) => run.evaluate(expression));
  const holes = holesOf(node.quasi).map((hole, index) => ({
    ...hole,
    value: values[index] ?? errorValue(span),
  }));
  const body = { start: node.quasi.range[0] + 1, end: node.quasi.range[1] - 1, holes };
  if (run.reading.isHopeless(node) || !payForExpression(body, span, run)) return errorValue(span);
  const made = makeFilter(body, span, run);
  if (hasUnread(made)) run.reading.noteMistaken(node);
  return noted(made, run);
}

function noted(made: Value, run: Evaluation): Value {
  run.reading.noteMade(made);
  return made;
}

/** Where something could not be read, there the parser puts an unknown part at the end. */
function hasUnread(made: Value): boolean {
  if (made.kind !== "filter") return false;
  const { filter } = made;
  return filter.kind === "unknown" || (filter.kind === "and" && filter.operands.at(-1)?.kind === "unknown");
}

/** To parse an expression takes as long as some dozen values, and so does each text that may be an address. */
const EXPRESSION_COST = 32;
const TEXT_COST = 8;

/** The text is parsed anew in every call of the function around it. */
function payForExpression({ start, end, holes }: TemplateBody, span: Span, run: Evaluation): boolean {
  const operands = holes.flatMap(({ value }) => (value.kind === "array" ? value.items : [value]));
  const texts = operands.filter(({ kind }) => kind === "string").length;
  return run.spend(EXPRESSION_COST + ((end - start) >> 2) + operands.length + texts * TEXT_COST, span);
}

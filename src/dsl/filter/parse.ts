import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { Filter } from "./ast.js";
import { unknown } from "./build.js";
import { lex, tokenSpan } from "./lex.js";
import { MAX_NESTING, sizeOf, tooDeep } from "./nesting.js";
import { Problems } from "./problems.js";
import { readTokens } from "./recover.js";
import type { FilterTemplate } from "./template.js";

/**
 * Reads one expr`…`. Reports every mistake at its place in the source file (TG11xx), and then the result has
 * unknown parts; names and types are not checked here.
 */
export function parseFilter(template: FilterTemplate, diagnostics: Diagnostics): Filter {
  const problems = new Problems(template.source, diagnostics);
  const whole = template.source.span(template.start, template.end);
  const { tokens } = lex(template, problems);
  const deep = tooDeep(tokens);
  if (deep) {
    problems.fatal("TG1104", tokenSpan(deep, problems), { limit: MAX_NESTING });
    return unknown(null, whole);
  }
  const filter = readTokens(tokens, template, problems);
  if (sizeOf(filter).depth > MAX_NESTING + 1) {
    problems.fatal("TG1104", filter.span, { limit: MAX_NESTING });
    return unknown(null, whole);
  }
  if (!problems.broken) return filter;
  return { kind: "and", operands: [filter, unknown(null, whole)], span: filter.span };
}

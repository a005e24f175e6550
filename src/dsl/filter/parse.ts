import type { IToken } from "chevrotain";
import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import type { Filter } from "./ast.js";
import { reportStuck } from "./expected.js";
import { lex, tokenSpan } from "./lex.js";
import { MAX_NESTING, sizeOf, tooDeep } from "./nesting.js";
import { parseTokens } from "./parser.js";
import { Problems } from "./problems.js";
import type { FilterTemplate } from "./template.js";

/**
 * Reads one expr`…`. Reports every bad word and the first error of grammar, each at its place in the source
 * file (TG11xx). Undefined when the expression has no meaning; names and types are not checked here.
 */
export function parseFilter(template: FilterTemplate, diagnostics: Diagnostics): Filter | undefined {
  const problems = new Problems(template.source, diagnostics);
  const tokens = lex(template, problems);
  if (!tokens) return undefined;
  const deep = tooDeep(tokens);
  if (deep) {
    problems.fatal("TG1104", tokenSpan(deep, problems), { limit: MAX_NESTING });
    return undefined;
  }
  const filter = parseWhole(tokens, template, problems);
  if (!filter || problems.broken) return undefined;
  if (sizeOf(filter).depth > MAX_NESTING + 1) {
    problems.fatal("TG1104", filter.span, { limit: MAX_NESTING });
    return undefined;
  }
  return filter;
}

function parseWhole(
  tokens: readonly IToken[],
  template: FilterTemplate,
  problems: Problems,
): Filter | undefined {
  const parsed = parseTokens(tokens, problems);
  if ("filter" in parsed) return parsed.filter;
  reportStuck(tokens, parsed.stuckAt, template, problems);
  return undefined;
}

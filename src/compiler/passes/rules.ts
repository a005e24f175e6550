import type { Located, SurfaceRule } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import type { Expr } from "../ir/expr.js";
import type { OwnedPrefix, Rule, Stage } from "../ir/policy.js";
import { warnOfAbsence } from "./absence.js";
import { checkConnections, readAction } from "./actions.js";
import { checkDestinations } from "./destinations.js";
import { checkDifferences } from "./differences.js";
import { comparisons, unknownParts } from "./filters.js";
import { warnOfBounds } from "./lint.js";
import type { Lists } from "./lists.js";
import { normalize } from "./normalize.js";
import { makePresenceExplicit } from "./presence.js";
import { noteRedundantMembers } from "./redundancy.js";
import { checkTypes } from "./types.js";

/** What rules are read against. */
export interface RuleContext {
  readonly stage: Stage;
  /** The firewall's; null where it could not be read. */
  readonly stateful: Located<boolean> | null;
  /** The policy's; empty where they are not known. */
  readonly prefixes: readonly OwnedPrefix[];
  readonly lists: Lists;
}

/** Reads one rule: every mistake in it is reported, and then it is undefined. */
export function readRule(
  rule: SurfaceRule,
  context: RuleContext,
  diagnostics: Diagnostics,
): Rule | undefined {
  const action = readAction(rule, context.stage, diagnostics);
  const match = readMatch(rule, context, diagnostics);
  return action && match && { name: rule.name.value, span: rule.name.span, action, match };
}

function readMatch(
  rule: SurfaceRule,
  { stage, stateful, prefixes, lists }: RuleContext,
  diagnostics: Diagnostics,
): Expr | undefined {
  if (!checkTypes(rule.match, diagnostics)) return undefined;
  if (!checkConnections(rule, stage, stateful, diagnostics)) return undefined;
  if (unknownParts(rule.match).length > 0) return undefined;
  if (comparisons(rule.match).some((one) => one.kind === "inList" && !lists.get(one.list))) return undefined;
  checkDestinations(rule.match, prefixes, lists, diagnostics);
  if (!checkDifferences(rule.match, lists, diagnostics)) return undefined;

  const never = warnOfBounds(rule.match, diagnostics);
  noteRedundantMembers(rule.match, diagnostics);
  const written = makePresenceExplicit(rule.match, lists);
  warnOfAbsence({ filter: rule.match, match: written, prefixes, lists }, diagnostics);
  const match = normalize(written);
  // A rule that is one comparison and nothing else needs one warning.
  const isSaid = never.some((comparison) => comparison === rule.match);
  if (match.kind === "const" && !match.value && !isSaid) {
    diagnostics.report("TG3001", rule.name.span, { rule: rule.name.value });
  }
  return match;
}

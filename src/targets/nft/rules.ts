import { assertNever, invariant } from "../../compiler/diagnostics/invariant.js";
import type { Intervals } from "../../compiler/ir/intervals.js";
import type { Action, Rule, Verdict } from "../../compiler/ir/policy.js";
import type { Text } from "../text.js";
import { matchText, type Part } from "./condition.js";
import { type Decision, type Decisions, decisionsOf } from "./decisions.js";
import { limitChain, logChain, matchChain, ruleCounter } from "./names.js";
import { verdictText } from "./verdicts.js";

/** One firewall rule in one of the two firewall chains. */
export interface LoweredRule {
  readonly rule: Rule;
  /** Lines for the stage's own chain. None: the rule matches nothing there. */
  readonly lines: readonly string[];
  /** A chain that the lines jump to. Its end, like its `return`, leads on to the next rule. */
  readonly chain: { readonly name: string; readonly lines: readonly string[] } | null;
}

/** What a rule's lines do with a packet that the rule matches. */
export interface Ending {
  /** A condition besides the rule's own, or nothing. */
  readonly guard: string;
  /** How a line ends whose verdict it is. */
  readonly verdict: (rule: Rule, verdict: Verdict) => string;
  /** What to do with packets that come back from a chain of the rule's own. */
  readonly comesBack: readonly string[];
}

/** The rule counts and decides. */
export const DECIDES: Ending = {
  guard: "",
  verdict: ({ name }, verdict) => `counter name ${ruleCounter(name)} ${verdictText(verdict)}`,
  comesBack: [],
};

/**
 * A rule whose decisions only ever say yes is lines of the stage's chain: what they miss reaches the next rule.
 * Where a line says no, the lines behind it must be left out, so the rule gets a chain to return from. So does a rule
 * with several lines that packets go on from: the next line must not count them again. `protocols` are those of which
 * all packets that come to the lines have one, or null.
 */
export function lowerRule(
  rule: Rule,
  part: Part,
  ending: Ending = DECIDES,
  protocols: Intervals | null = null,
): LoweredRule {
  const decisions = decisionsOf(rule.match, part);
  invariant(decisions, `the check refused rule ${rule.name}`);
  const answers = withOtherwise(decisions);
  const inline = answers.every(({ holds }) => holds) && (isVerdict(rule.action) || answers.length <= 1);
  const comment = `comment "${rule.name}"`;
  if (inline) {
    const outcome = words(ending.guard, yes(rule, "jump", ending), comment);
    return {
      rule,
      lines: answers.map(({ conditions }) => words(matchText(conditions, protocols), outcome)),
      chain: null,
    };
  }
  const name = matchChain(part === "whole" ? "match" : "fragment", rule.name);
  const outcome = words(yes(rule, "goto", ending), comment);
  return {
    rule,
    lines: [words(ending.guard, `jump ${name}`, comment), ...ending.comesBack],
    chain: {
      name,
      lines: answers.map(({ conditions, holds }) => words(matchText(conditions), holds ? outcome : "return")),
    },
  };
}

function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

export function isVerdict(action: Action): action is { readonly kind: Verdict } {
  return action.kind === "allow" || action.kind === "drop" || action.kind === "reject";
}

/** `goto` from the rule's own chain: a `return` then leads back to the stage's chain, not to the next line. */
function yes(rule: Rule, enter: "jump" | "goto", ending: Ending): string {
  const { name, action } = rule;
  switch (action.kind) {
    case "allow":
    case "drop":
    case "reject":
      return ending.verdict(rule, action.kind);
    case "limit":
      return `${enter} ${limitChain(name)}`;
    case "count":
      return `counter name ${ruleCounter(name)}${enter === "goto" ? " return" : ""}`;
    case "log":
      return `${enter} ${logChain(name)}`;
    default:
      return assertNever(action);
  }
}

/** "No" at the end needs no line: that is what the end of the chain says. */
function withOtherwise({ lines, otherwise }: Decisions): readonly Decision[] {
  return otherwise ? [...lines, { conditions: [], holds: true }] : lines;
}

/** `# rule "ftp" (acme.policy.ts:21)` above the rule's lines. */
export function emitRule(text: Text, { rule, lines }: LoweredRule): void {
  if (lines.length === 0) return;
  text.line(`# rule "${rule.name}" (${place(rule)})`);
  text.lines(lines);
}

export function emitRuleChain(text: Text, { chain }: LoweredRule): void {
  if (!chain) return;
  text.line();
  text.block(`chain ${chain.name} {`, () => text.lines(chain.lines));
}

function place({ span }: Rule): string {
  return `${fileName(span.file)}:${span.line}`;
}

/** The last part of a path, safe in a comment: a line break in a file's name must not end it. */
export function fileName(path: string): string {
  return (path.split(/[\\/]/).at(-1) ?? path).replace(/[^\w.-]/g, "_");
}

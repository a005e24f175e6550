import { assertNever, invariant } from "../compiler/diagnostics/invariant.js";
import type { Expr } from "../compiler/ir/expr.js";
import type { Policy, Rule } from "../compiler/ir/policy.js";
import { decode } from "../compiler/semantics/decode.js";
import { matches } from "../compiler/semantics/match.js";
import { either } from "./expressions.js";
import { type Found, find, type Ground, groundOf, type Position } from "./find.js";
import { exhausting, sameKey } from "./limits.js";
import { type Change, type Mutant, mutantsOf, rulesIn } from "./mutants.js";
import { tellsApart } from "./observe.js";
import { type Session, single } from "./session.js";
import type { Goal } from "./solve.js";

export interface Witnesses {
  /** Packets that tell the policy from every mutant in `told`. */
  readonly sessions: readonly Session[];
  readonly told: readonly Mutant[];
  /** No packet can tell them from the policy: every shape was searched to the end. */
  readonly equivalent: readonly Mutant[];
  /** Neither was found. */
  readonly open: readonly Mutant[];
}

/** A limit whose burst is larger is not used up: it would take too long to send. */
const MOST_COPIES = 20_000;

/** For each mutant, a packet or a session that shows the difference; found by the solver, and judged by the reference. */
export function witnessesOf(policy: Policy): Witnesses {
  const ground = groundOf(policy);
  const sessions: Session[] = [];
  const told: Mutant[] = [];
  const equivalent: Mutant[] = [];
  const open: Mutant[] = [];
  for (const mutants of byPosition(mutantsOf(policy))) {
    const known: Session[] = [];
    for (const mutant of mutants) {
      const answer = known.some((session) => tellsApart(session, policy, mutant.policy))
        ? "known"
        : witnessOf(ground, mutant);
      if (answer === "none") equivalent.push(mutant);
      else if (answer === "unknown") open.push(mutant);
      else told.push(mutant);
      if (typeof answer === "object") known.push(answer);
    }
    sessions.push(...known);
  }
  return { sessions, told, equivalent, open };
}

/** What shows one mutant of a rule often shows others of it too. */
function byPosition(mutants: readonly Mutant[]): Iterable<readonly Mutant[]> {
  const groups = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    const group = groups.get(positionText(mutant));
    if (group) group.push(mutant);
    else groups.set(positionText(mutant), [mutant]);
  }
  return groups.values();
}

function positionText(change: Change): string {
  return change.kind === "default" ? "default" : `${change.stage} ${change.index}`;
}

/** `none`: there is no such packet. */
type Answer = Session | "none" | "unknown";

function witnessOf(ground: Ground, mutant: Mutant): Answer {
  const { policy } = ground;
  const answer = candidateOf(ground, mutant);
  if (typeof answer === "string") return answer;
  return tellsApart(answer, policy, mutant.policy) ? answer : "unknown";
}

/** What should show the difference by the kind of the change. */
function candidateOf(ground: Ground, mutant: Mutant): Answer {
  const { policy } = ground;
  if (mutant.kind === "default") {
    const end: Position = { stage: "firewall", index: policy.firewall.rules.length };
    const found = find(ground, end, []);
    return typeof found === "string" ? found : single(found, mutant.what);
  }
  const { stage, index } = mutant;
  const [rule, next] = rulesIn(policy, stage).slice(index, index + 2);
  invariant(rule, "a mutant's rule is in the policy");
  switch (mutant.kind) {
    case "match":
      return shown(ground, mutant, [rule], either(rule.match, mutant.match));
    case "action":
      return shown(ground, mutant, [rule], rule.match);
    case "order":
      invariant(next, "there is a rule behind it");
      if (passive(rule) && passive(next)) return "none";
      return shown(ground, mutant, [rule, next], both(rule.match, next.match));
    default:
      return assertNever(mutant);
  }
}

function both(a: Expr, b: Expr): Expr {
  return { kind: "and", operands: [a, b], span: a.span };
}

/** It counts, and that is all. */
function passive({ action }: Rule): boolean {
  return action.kind === "count" || action.kind === "log";
}

/** A packet at the rules for which `differs` holds; where one of them is a limit, so many that it is used up. */
function shown(
  ground: Ground,
  { what, stage, index }: Exclude<Mutant, { readonly kind: "default" }>,
  rules: readonly Rule[],
  differs: Expr,
): Answer {
  const found = find(ground, { stage, index }, [{ expr: differs, wanted: true }]);
  if (typeof found === "string") return found;
  const limits = rules.flatMap(({ action }) => (action.kind === "limit" ? [action.limit] : []));
  const [largest] = limits.sort((a, b) => Number(b.burst - a.burst));
  if (!largest) return single(found, what);
  return exhausting(found, largest, MOST_COPIES, what, []) ?? "unknown";
}

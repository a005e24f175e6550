import { assertNever, invariant } from "../compiler/diagnostics/invariant.js";
import type { Expr } from "../compiler/ir/expr.js";
import type { Policy, Rule } from "../compiler/ir/policy.js";
import { decode } from "../compiler/semantics/decode.js";
import { matches } from "../compiler/semantics/match.js";
import { both } from "./expressions.js";
import { find, findPastLimits, type Position, type Answer as Searched } from "./find.js";
import type { Goal } from "./goals.js";
import { type Ground, groundOf } from "./ground.js";
import { type Asked, exhausting, sameKey } from "./limits.js";
import { type Change, type Mutant, mutantsOf, rulesIn } from "./mutants.js";
import { tellsApart } from "./observe.js";
import { type Session, single } from "./session.js";
import { spread } from "./spread.js";

export interface Witnesses {
  /** Packets that tell the policy from every mutant in `told`. */
  readonly sessions: readonly Session[];
  readonly told: readonly Mutant[];
  /** No packet can tell them from the policy: earlier rules cover all packets that could. */
  readonly equivalent: readonly Mutant[];
  /** Neither was found within the effort. */
  readonly open: readonly Mutant[];
}

export interface AllWitnesses extends Witnesses {
  /** How many mutants were not looked at. */
  readonly left: number;
}

/** A limit whose burst is larger is not used up: it would take too long to send. */
const MOST_COPIES = 20_000;

/**
 * For each mutant, a packet or a session that shows the difference; found in the region where the two differ, and judged by the reference. Of more
 * than `most` mutants, some from all over the policy stand for the rest: the time for one grows with the number of rules.
 */
export function witnessesOf(policy: Policy, most = Number.POSITIVE_INFINITY): AllWitnesses {
  const all = mutantsOf(policy);
  const mutants = spread(all, most);
  const ground = groundOf(policy, mutants.flatMap(askedBy));
  const groups = byPosition(mutants).map((one) => tellAll(ground, one));
  return {
    // Whoever sends only some of the packets should not spend all of them on one large burst.
    sessions: groups.flatMap(({ sessions }) => sessions).sort((a, b) => a.copies - b.copies),
    told: groups.flatMap(({ told }) => told),
    equivalent: groups.flatMap(({ equivalent }) => equivalent),
    open: groups.flatMap(({ open }) => open),
    left: all.length - mutants.length,
  };
}

/** What tells it apart asks for no more than the two conditions do. */
function askedBy(mutant: Mutant): readonly Expr[] {
  return mutant.kind === "match" ? [mutant.differs] : [];
}

/** What shows one mutant of a rule often shows others of it too. */
function byPosition(mutants: readonly Mutant[]): readonly (readonly Mutant[])[] {
  const groups = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    const group = groups.get(positionText(mutant));
    if (group) group.push(mutant);
    else groups.set(positionText(mutant), [mutant]);
  }
  return [...groups.values()];
}

function positionText(change: Change): string {
  return change.kind === "default" ? "default" : `${change.stage} ${change.index}`;
}

/** Mutants of one rule. */
function tellAll(ground: Ground, mutants: readonly Mutant[]): Witnesses {
  const known: Session[] = [];
  const sorted = { told: [] as Mutant[], equivalent: [] as Mutant[], open: [] as Mutant[] };
  const shared = mutants[0] && sharedBurst(ground, mutants[0]);
  for (const mutant of mutants) {
    const isTold = (session: Session) =>
      couldTell(session, mutant, ground.policy) && tellsApart(session, ground.policy, mutant.policy);
    if (shared?.tells(mutant) || known.some(isTold)) {
      sorted.told.push(mutant);
      continue;
    }
    const answer = witnessOf(ground, mutant);
    if (answer === "none") sorted.equivalent.push(mutant);
    else if (answer === "unknown") sorted.open.push(mutant);
    else {
      sorted.told.push(mutant);
      known.push(answer);
    }
  }
  const burst = shared?.session();
  return { sessions: burst ? [...known, burst] : known, ...sorted };
}

/** Says quickly of most packets that they cannot: the changed rule matches them as before. */
function couldTell({ packets: [first] }: Session, mutant: Mutant, policy: Policy): boolean {
  const rule = mutant.kind === "match" && rulesIn(policy, mutant.stage)[mutant.index];
  const decoded = first && decode(first.bytes, undefined, first.surroundings);
  if (!rule || decoded?.kind !== "packet") return true;
  const isMatched = (match: Expr) => matches(match, decoded.packet, policy.lists);
  return isMatched(rule.match) !== isMatched(mutant.match);
}

/** One burst that uses a limit up, for all mutants of the limit that packets with the same key can show. */
interface SharedBurst {
  /** Adds the packet that it takes. */
  readonly tells: (mutant: Mutant) => boolean;
  /** null: nothing has been told with it. */
  readonly session: () => Session | null;
}

function sharedBurst(ground: Ground, first: Mutant): SharedBurst | undefined {
  if (first.kind === "default") return undefined;
  const { policy } = ground;
  const position: Position = first;
  const rule = rulesIn(policy, first.stage)[first.index];
  if (rule?.action.kind !== "limit") return undefined;
  const { limit } = rule.action;
  const base = atLimit(ground, position, rule.match, []);
  if (typeof base === "string") return undefined;
  const key = sameKey(rule, base);
  const burst = (others: readonly Asked[]) => exhausting(base, limit, MOST_COPIES, rule.name, others);
  const asked: Asked[] = [];
  let used = false;
  const shows = (mutant: Mutant, others: readonly Asked[]): boolean => {
    const session = burst(others);
    const told = session !== null && tellsApart(session, policy, mutant.policy);
    used ||= told;
    return told;
  };
  const tells = (mutant: Mutant): boolean => {
    if (shows(mutant, asked)) return true;
    if (mutant.kind !== "match") return false;
    const found = atLimit(ground, position, mutant.differs, key);
    if (typeof found === "string") return false;
    const one = { found, why: mutant.what };
    if (!shows(mutant, [one])) return false;
    asked.push(one);
    return true;
  };
  return { tells, session: () => (used ? burst(asked) : null) };
}

/** A packet at a limit, past all other limits if that can be. */
function atLimit(ground: Ground, position: Position, match: Expr, more: readonly Goal[]): Searched {
  const goals = [{ expr: match, wanted: true }, ...more];
  const past = findPastLimits(ground, position, goals);
  return typeof past === "object" ? past : find(ground, position, goals);
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
      return shown(ground, mutant, [rule], mutant.differs);
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

/** It counts, and that is all. */
function passive({ action }: Rule): boolean {
  return action.kind === "count" || action.kind === "log";
}

type RuleMutant = Exclude<Mutant, { readonly kind: "default" }>;

/**
 * A packet at the rules for which `differs` holds; where one of them is a limit, so many that it is used up. One that is too
 * large for that shows by a single packet at least that it is something else.
 */
function shown(ground: Ground, mutant: RuleMutant, rules: readonly Rule[], differs: Expr): Answer {
  const { what, stage, index } = mutant;
  const limits = rules.flatMap(({ action }) => (action.kind === "limit" ? [action.limit] : []));
  const [largest] = limits.sort((a, b) => Number(b.burst - a.burst));
  if (!largest) {
    const found = find(ground, { stage, index }, [{ expr: differs, wanted: true }]);
    return typeof found === "string" ? found : single(found, what);
  }
  const found = atLimit(ground, { stage, index }, differs, []);
  if (typeof found === "string") return found;
  return (
    exhausting(found, largest, MOST_COPIES, what, []) ??
    droppedBehind(ground, mutant, differs) ??
    single(found, what)
  );
}

/** So many of the rules behind a limit are tried: one is enough as a rule. */
const MOST_DROPS = 8;

/** What the firewall drops behind a limit that matches, XDP must leave to it (docs/semantics.md, "The early step"). */
function droppedBehind(ground: Ground, mutant: RuleMutant, differs: Expr): Session | null {
  const { firewall } = ground.policy;
  if (mutant.stage !== "firewall") return null;
  const drops = firewall.rules.flatMap(({ action, match }, index) =>
    index > mutant.index && (action.kind === "drop" || action.kind === "reject") ? [{ index, match }] : [],
  );
  for (const { index, match } of [
    ...drops.slice(0, MOST_DROPS),
    { index: firewall.rules.length, match: null },
  ]) {
    const goals = [differs, ...(match ? [match] : [])].map((expr) => ({ expr, wanted: true }));
    const found = find(ground, { stage: "firewall", index }, goals);
    if (typeof found === "string") continue;
    const session = single(found, mutant.what);
    if (tellsApart(session, ground.policy, mutant.policy)) return session;
  }
  return null;
}

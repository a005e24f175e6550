import { plainText } from "../compiler/analysis/packets/plain-text.js";
import type { Policy, Rule, Verdict } from "../compiler/ir/policy.js";
import type { Surroundings } from "../compiler/semantics/decode.js";
import { evaluate, type Trace } from "../compiler/semantics/evaluate.js";
import { newState } from "../compiler/semantics/state.js";
import { type Answer, find, findPastLimits, type Position } from "../verify/find.js";
import { type Ground, groundOf } from "../verify/ground.js";

/** An entry of `tests` that does not stand there yet. */
export interface Suggestion {
  readonly packet: string;
  readonly expect: Verdict;
  /** The rule that decides; null: a default, or the want of a route. */
  readonly rule: string | null;
}

/** What can be said of rules that no test's packet meets. */
export interface Suggestions {
  readonly tests: readonly Suggestion[];
  /** No packet meets them: rules before them take all, or they match none. */
  readonly unreachable: readonly string[];
  /** Rules for which the search gave up. */
  readonly unknown: readonly string[];
  /** Rules that were not looked at, because they are too many for one run. */
  readonly left: number;
}

/** More than anybody pastes at once; each takes a search. */
const MOST = 100;

/** A packet for each of the rules that `met` lacks; one packet may do for several. */
export function suggest(policy: Policy, met: ReadonlySet<string>): Suggestions {
  const ground = groundOf(policy);
  const [tests, unreachable, unknown]: [Suggestion[], string[], string[]] = [[], [], []];
  const covered = new Set(met);
  const missing = positions(policy).filter(({ rule }) => !met.has(rule.name));
  for (const { rule, position } of missing.slice(0, MOST)) {
    if (covered.has(rule.name)) continue;
    const found = meeting(ground, rule, position);
    if (found === "none") unreachable.push(rule.name);
    else if (found === "unknown") unknown.push(rule.name);
    else {
      tests.push(found.suggestion);
      for (const name of found.meets) covered.add(name);
    }
  }
  return { tests, unreachable, unknown, left: Math.max(0, missing.length - MOST) };
}

interface Placed {
  readonly rule: Rule;
  readonly position: Position;
}

function positions({ mitigate, firewall }: Policy): readonly Placed[] {
  const placed = (stage: Position["stage"]) => (rule: Rule, index: number) => {
    return { rule, position: { stage, index } };
  };
  return [...mitigate.map(placed("mitigate")), ...firewall.rules.map(placed("firewall"))];
}

interface Meeting {
  readonly suggestion: Suggestion;
  readonly meets: readonly string[];
}

/** Limits on the way are better not met: what they do depends on the packets before. */
function meeting(ground: Ground, rule: Rule, position: Position): Meeting | "none" | "unknown" {
  const matched = { expr: rule.match, wanted: true };
  const undisturbed = findPastLimits(ground, position, [matched]);
  const found = typeof undisturbed === "string" ? find(ground, position, [matched]) : undisturbed;
  return typeof found === "string" ? found : testOf(ground.policy, rule, found);
}

/** The plainest packet that meets the rule and is decided as the one found is. */
function testOf(policy: Policy, rule: Rule, found: Exclude<Answer, string>): Meeting | "unknown" {
  const judged = (bytes: Uint8Array, surroundings: Surroundings) => {
    return evaluate(policy, bytes, newState(), 0n, surroundings);
  };
  const trace = judged(found.bytes, found.surroundings);
  const expect = verdictOf(trace);
  if (!expect || !metBy(trace).includes(rule.name)) return "unknown";
  const packet = plainText(found, (bytes, surroundings) => {
    const other = judged(bytes, surroundings);
    return other.verdict === expect && other.rule === trace.rule && metBy(other).includes(rule.name);
  });
  if (packet === null) return "unknown";
  return { suggestion: { packet, expect, rule: trace.rule }, meets: metBy(trace) };
}

function metBy({ steps }: Trace): readonly string[] {
  return steps.filter(({ outcome }) => outcome !== "miss").map(({ rule }) => rule.name);
}

function verdictOf({ verdict }: Trace): Verdict | undefined {
  return verdict === "foreign" || verdict === "malformed" ? undefined : verdict;
}

/** As it is pasted into a policy. */
export function writtenTest({ packet, expect, rule }: Suggestion): string {
  const decided = rule === null ? "" : `, rule: ${JSON.stringify(rule)}`;
  return `{ packet: ${JSON.stringify(packet)}, expect: ${JSON.stringify(expect)}${decided} },`;
}

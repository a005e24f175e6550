import { type Built, finish } from "../compiler/analysis/packets/build.js";
import type { Shape } from "../compiler/analysis/packets/shape.js";
import { type Template, templateOf } from "../compiler/analysis/packets/template.js";
import type { Family } from "../compiler/ir/address.js";
import { isTerminal, type Policy, type Rule, type Stage } from "../compiler/ir/policy.js";
import { wholeDatagram } from "../compiler/semantics/datagram.js";
import { decode, type Packet } from "../compiler/semantics/decode.js";
import { gateOf } from "../compiler/semantics/gates.js";
import { matches } from "../compiler/semantics/match.js";
import { negation } from "./expressions.js";
import { passable } from "./passable.js";
import { shapesOf } from "./shapes.js";
import { type Effort, type Goal, solve } from "./solve.js";

/** A point in the policy that a packet is to reach: before the rule of that number in its stage. */
export interface Position {
  readonly stage: Stage;
  readonly index: number;
}

/** A packet, and the shape that it was made in. */
export interface Found extends Built {
  readonly shape: Shape;
}

/** `none`: every shape was searched to the end, so no packet does it that shapes.ts can make. */
export type Answer = Found | "none" | "unknown";

/** A policy with what searching it needs again and again. */
export interface Ground {
  readonly policy: Policy;
  readonly templates: readonly Template[];
  /** What gets packets past the kernel, to the firewall. */
  readonly gates: Readonly<Record<Family, readonly Goal[]>>;
  /** What all searches together may still spend: a policy that chance wrote could take minutes. */
  readonly effort: Effort;
  /** The one that answered last is tried first: questions about one rule come one after the other. */
  readonly lucky: { template: Template | null };
}

const MOST_EFFORT = 200_000;
/** One question gets a part of what is left, and never less than this. */
const LEAST_EFFORT = 100;

function allowance({ effort }: Ground): Effort {
  return { left: Math.max(LEAST_EFFORT, Math.ceil(effort.left / 40)) };
}

export function groundOf(policy: Policy): Ground {
  const templates = shapesOf(policy).flatMap((shape) => templateOf(shape) ?? []);
  const gates = (family: Family) => passable(family, policy.span).map((expr) => ({ expr, wanted: true }));
  return {
    policy,
    templates,
    gates: { 4: gates(4), 6: gates(6) },
    effort: { left: MOST_EFFORT },
    lucky: { template: null },
  };
}

/**
 * A packet that meets `goals` and reaches `position`; null: it need not reach anything. Rules on the way are looked at only
 * once they take a candidate: then that rule's not matching becomes a goal too, and the search starts over.
 */
export function find(ground: Ground, position: Position | null, goals: readonly Goal[]): Answer {
  const { lucky } = ground;
  const effort = allowance(ground);
  const granted = effort.left;
  let exhaustive = true;
  for (const template of inOrder(ground)) {
    const answer = findIn(ground, template, position, goals, effort);
    if (answer === "none") continue;
    if (answer !== "unknown") {
      lucky.template = template;
      ground.effort.left -= granted - effort.left;
      return answer;
    }
    exhaustive = false;
    if (effort.left < 0) break;
  }
  ground.effort.left -= granted - effort.left;
  return exhaustive ? "none" : "unknown";
}

function inOrder({ templates, lucky }: Ground): readonly Template[] {
  const { template } = lucky;
  return template ? [template, ...templates.filter((one) => one !== template)] : templates;
}

/** Two rules can take turns at most as often as their conditions have alternatives. */
const MAX_ROUNDS = 200;

function findIn(
  ground: Ground,
  template: Template,
  position: Position | null,
  goals: readonly Goal[],
  effort: Effort,
): Answer {
  const { policy } = ground;
  // Parts of datagrams never reach the rules of a stateful firewall.
  if (position?.stage === "firewall" && policy.firewall.stateful && template.shape.fragment) return "none";
  const asked = [...goals, ...(position?.stage === "firewall" ? ground.gates[template.shape.family] : [])];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const solution = solve(policy, template, asked, effort);
    if (solution.kind === "gaveUp") return "unknown";
    if (solution.kind === "none") return "none";
    const built = finish(template, solution.bytes);
    const packet = judgedPacket(policy, position, built);
    if (!packet || !goals.every((goal) => matches(goal.expr, packet, policy.lists) === goal.wanted))
      return "unknown";
    const obstacle = position && obstacleOf(policy, position, packet);
    if (!obstacle) return { ...built, shape: template.shape };
    asked.push(obstacle);
  }
  return "unknown";
}

function judgedPacket(
  policy: Policy,
  position: Position | null,
  { bytes, surroundings }: Built,
): Packet | undefined {
  const decoded = decode(bytes, undefined, surroundings);
  if (decoded.kind === "malformed") return undefined;
  const inFirewall = position?.stage === "firewall";
  if (inFirewall && gateOf(decoded.packet)) return undefined;
  return inFirewall && policy.firewall.stateful ? wholeDatagram(decoded.packet) : decoded.packet;
}

/** What a packet must be or not be so that it gets past the first rule that takes it; undefined: none does. */
function obstacleOf(policy: Policy, { stage, index }: Position, packet: Packet): Goal | undefined {
  const takes = ({ match }: Rule) => matches(match, packet, policy.lists);
  const { mitigate, firewall } = policy;
  if (stage === "mitigate") {
    const taker = mitigate.slice(0, index).find((rule) => isTerminal(rule) && takes(rule));
    return taker && { expr: taker.match, wanted: false };
  }
  // Allowed by an earlier rule of `mitigate`, a packet is past those that drop.
  const decider = mitigate.findIndex((rule) => isTerminal(rule) && takes(rule));
  const dropper = mitigate[decider];
  if (dropper && dropper.action.kind !== "allow") {
    const allowed = mitigate.slice(0, decider).filter(({ action }) => action.kind === "allow");
    const ways = [negation(dropper.match), ...allowed.map(({ match }) => match)];
    return { expr: { kind: "or", operands: ways, span: dropper.span }, wanted: true };
  }
  const taker = firewall.rules.slice(0, index).find((rule) => isTerminal(rule) && takes(rule));
  return taker && { expr: taker.match, wanted: false };
}

/** That no limit on the way to the position takes the packet: one that is smaller would use itself up first. */
export function pastLimits({ mitigate, firewall }: Policy, { stage, index }: Position): readonly Goal[] {
  const before =
    stage === "mitigate" ? mitigate.slice(0, index) : [...mitigate, ...firewall.rules.slice(0, index)];
  const limits = before.filter(({ action }) => action.kind === "limit");
  return limits.map(({ match }) => ({ expr: match, wanted: false }));
}

import type { Policy, Stage } from "../../ir/policy.js";
import { type Box, intersectBoxes } from "../boxes.js";
import { type Budget, Diagram } from "../diagram.js";
import { possible } from "../possible.js";
import { always, answerOf, NO, TOO_LARGE } from "../ref.js";
import type { Space } from "../space.js";
import type { Pair } from "./alignment.js";
import { allOf, type Extent, extentsOf, joined } from "./extents.js";
import { type Change, changeOf, Outcomes } from "./outcomes.js";
import { type Piece, split } from "./pieces.js";
import { type Sides, sidesOf } from "./sides.js";
import { treatmentOf } from "./treatment.js";

/** Packets that two policies treat differently: those that the same rules decide before, and the same rules after. */
export interface Difference extends Extent, Change {
  /** All packets in its hull are among them. */
  readonly isHull: boolean;
}

/** Of a difference what lies in one piece of the space. */
type Part = Extent & Change;

export interface Comparison {
  /** What the boxes of differences speak of. */
  readonly space: Space;
  readonly pairs: Readonly<Record<Stage, readonly Pair[]>>;
  /** A box that holds all packets to the prefixes of either policy. */
  readonly common: Box;
  /** The largest first. Their shares are parts of all packets to the prefixes of either policy. */
  readonly differences: readonly Difference[];
  /** Packets that were not compared, because that takes too long; nearly always none. */
  readonly open: readonly Box[];
}

/** One diagram's; what does not fit is compared in parts. */
const BUDGET: Budget = { edges: 1_000_000, steps: 400_000 };
/** More take longer than anybody waits. */
const MOST_PARTS = 64;

/**
 * All packets that two policies treat differently. Only those that a rule without an equal partner matches can be such, and only
 * rules that match some of these have to do with it: policies of thousands of rules that differ in a few are compared in the time
 * that the few take. Allowances of limits are left aside: what counts is which limits a packet meets.
 */
export function comparePolicies(before: Policy, after: Policy): Comparison {
  const sides = sidesOf(before, after);
  const { space, pairs, whole } = sides;
  const world = possible(space, {
    prefixes: [...before.prefixes, ...after.prefixes],
    whole: false,
  });
  const outcomes = new Outcomes();
  const found = new Map<string, Part>();
  const open: Box[] = [];
  const waiting: Piece[] = [whole];
  for (let parts = 0; waiting.length > 0; ) {
    const piece = waiting.pop() as Piece;
    const differences = parts < MOST_PARTS ? differencesIn(piece, sides, world, outcomes) : null;
    const halves = differences ? undefined : split(piece, space);
    if (differences) for (const one of differences) add(found, one);
    else if (halves && parts++ < MOST_PARTS) waiting.push(...halves);
    else open.push(piece.box);
  }
  const all = allOf(space, world);
  const differences = [...found.values()].map((one) => ({
    ...{ ...one, share: one.share / all.share },
    isHull: all.fills(one),
  }));
  return { space, pairs, common: all.hull, differences: differences.sort((a, b) => b.share - a.share), open };
}

function add(found: Map<string, Part>, one: Part): void {
  const key = JSON.stringify([one.before, one.after]);
  const known = found.get(key);
  found.set(key, known ? { ...known, ...joined(known, one) } : one);
}

/** null: the piece is too large for one diagram. */
function differencesIn(
  piece: Piece,
  { before, after, space }: Sides,
  world: readonly Box[],
  outcomes: Outcomes,
): readonly Part[] | null {
  if (piece.wanted.length === 0) return [];
  const diagram = new Diagram(space, BUDGET);
  const where = diagram.ofBoxes(piece.wanted);
  const old = treatmentOf(diagram, { policy: before, ...piece.before }, where, outcomes);
  const now = treatmentOf(diagram, { policy: after, ...piece.after }, where, outcomes);
  const changes: Change[] = [];
  const numbers = new Map<string, number>();
  const changed = diagram.operation((a, b) => {
    if (a === b) return NO;
    const [one, other] = [answerOf(a), answerOf(b)];
    if (one === undefined || other === undefined) return null;
    const change = changeOf(outcomes.at(one), outcomes.at(other));
    if (!change) return NO;
    const key = JSON.stringify(change);
    const number = numbers.get(key) ?? changes.push(change);
    numbers.set(key, number);
    return always(number);
  });
  const inside = world.flatMap((box) => intersectBoxes(box, piece.box) ?? []);
  const root = diagram.within(diagram.apply(changed, old, now), diagram.ofBoxes(inside));
  if (root === TOO_LARGE) return null;
  return extentsOf(diagram, root).flatMap((extent) => {
    const change = changes[extent.answer - 1];
    return change ? [{ ...extent, ...change }] : [];
  });
}

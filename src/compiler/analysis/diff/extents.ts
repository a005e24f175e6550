import type { Box } from "../boxes.js";
import { type Budget, DEFAULT_BUDGET, Diagram } from "../diagram.js";
import { isEverything, type Ranges, sizeOf, unite } from "../ranges.js";
import { answerOf, NO, type Ref, TOO_LARGE } from "../ref.js";
import type { Space } from "../space.js";

/** Where a function has one answer. */
export interface Extent {
  /** The part of all values that the variables could have. */
  readonly share: number;
  /** Disjoint boxes: all of them, or the first few. */
  readonly boxes: readonly Box[];
  readonly isAll: boolean;
  /** The smallest box around all of it. */
  readonly hull: Box;
}

/** Boxes that are kept of an extent. */
const MOST_BOXES = 8;

/** The extents of all answers but 0. */
export function extentsOf(diagram: Diagram, root: Ref): readonly (Extent & { readonly answer: number })[] {
  const below = new Below(diagram);
  const answers = [...below.shares(root)].filter(([answer]) => answer !== 0).sort(([a], [b]) => a - b);
  return answers.map(([answer, share]) => {
    const boxes = [...first(below.boxes(root, answer), MOST_BOXES + 1)];
    const isAll = boxes.length <= MOST_BOXES;
    return { answer, share, boxes: boxes.slice(0, MOST_BOXES), isAll, hull: below.hull(root, answer) };
  });
}

/** Two extents that have nothing in common, as one. */
export function joined(a: Extent, b: Extent): Extent {
  const boxes = [...a.boxes, ...b.boxes];
  const restricts = [...a.hull.restricts].flatMap(([variable, ranges]) => {
    const others = b.hull.restricts.get(variable);
    return others ? [[variable, unite(ranges, others)] as const] : [];
  });
  return {
    share: a.share + b.share,
    boxes: boxes.slice(0, MOST_BOXES),
    isAll: a.isAll && b.isAll && boxes.length <= MOST_BOXES,
    hull: { restricts: new Map(restricts) },
  };
}

const NOWHERE: Extent = { share: 0, boxes: [], isAll: true, hull: { restricts: new Map() } };

/** All that is in one of the boxes, and whether an extent has all of this that is in its hull; false where that is not known. */
export function allOf(
  space: Space,
  boxes: readonly Box[],
  budget: Budget = DEFAULT_BUDGET,
): Extent & { readonly fills: (extent: Extent) => boolean } {
  const diagram = new Diagram(space, budget);
  const all = diagram.ofBoxes(boxes);
  if (all === TOO_LARGE) return { ...atMost(boxes, space), fills: () => false };
  const fills = ({ hull, boxes: own, isAll }: Extent): boolean => {
    if (!isAll) return false;
    const around = diagram.intersection(diagram.ofBox(hull), all);
    return diagram.difference(around, diagram.ofBoxes(own)) === NO;
  };
  return { ...(extentsOf(diagram, all)[0] ?? NOWHERE), fills };
}

/** All that is in one of the boxes, what several hold counted for each: its share is no less than theirs together. */
function atMost(boxes: readonly Box[], space: Space): Extent {
  const each = boxes.map(
    (box): Extent => ({ share: shareOf(box, space), boxes: [box], isAll: false, hull: box }),
  );
  return each.reduce(joined, { ...NOWHERE, ...each[0], share: 0 });
}

function shareOf({ restricts }: Box, { variables }: Space): number {
  let share = 1;
  for (const [variable, ranges] of restricts) share *= sizeOf(ranges) / 2 ** (variables[variable]?.bits ?? 0);
  return share;
}

/** Which answers lie below each node, so that nobody walks where there is nothing to be found. */
class Below {
  readonly #shares = new Map<Ref, ReadonlyMap<number, number>>();
  readonly #branches = new Map<Ref, readonly (readonly [Ref, Ranges])[]>();

  constructor(readonly diagram: Diagram) {}

  /** The part of all values that has each answer. */
  shares(ref: Ref): ReadonlyMap<number, number> {
    const known = this.#shares.get(ref);
    if (known) return known;
    const answer = answerOf(ref);
    const shares = answer === undefined ? this.#sum(ref) : new Map([[answer, 1]]);
    this.#shares.set(ref, shares);
    return shares;
  }

  #sum(node: Ref): ReadonlyMap<number, number> {
    const { diagram } = this;
    const values = 2 ** (diagram.space.variables[diagram.variableOf(node)]?.bits ?? 0);
    const sum = new Map<number, number>();
    for (const [to, ranges] of this.#all(node)) {
      const part = sizeOf(ranges) / values;
      for (const [answer, share] of this.shares(to)) {
        sum.set(answer, (sum.get(answer) ?? 0) + part * share);
      }
    }
    return sum;
  }

  *boxes(ref: Ref, answer: number, restricts: Box["restricts"] = new Map()): Generator<Box> {
    if (answerOf(ref) !== undefined) {
      yield { restricts };
      return;
    }
    const variable = this.diagram.variableOf(ref);
    for (const [to, ranges] of this.#leading(ref, answer)) {
      yield* this.boxes(to, answer, new Map(restricts).set(variable, ranges));
    }
  }

  /** Of each variable the values on some way to the answer; a way that does not ask it allows all. */
  hull(root: Ref, answer: number): Box {
    const { variables } = this.diagram.space;
    const values = new Map<number, Ranges>();
    const free = new Set<number>();
    const seen = new Set<Ref>();
    const pass = (ref: Ref, from: number): void => {
      const isEnd = answerOf(ref) !== undefined;
      const variable = isEnd ? variables.length : this.diagram.variableOf(ref);
      for (let skipped = from; skipped < variable; skipped++) free.add(skipped);
      if (isEnd || seen.has(ref)) return;
      seen.add(ref);
      for (const [to, ranges] of this.#leading(ref, answer)) {
        const known = values.get(variable);
        values.set(variable, known ? unite(known, ranges) : ranges);
        pass(to, variable + 1);
      }
    };
    pass(root, 0);
    const restricted = [...values].filter(([variable, ranges]) => {
      return !free.has(variable) && !isEverything(ranges, variables[variable]?.bits ?? 0);
    });
    return { restricts: new Map(restricted) };
  }

  #leading(node: Ref, answer: number): readonly (readonly [Ref, Ranges])[] {
    return this.#all(node).filter(([to]) => this.shares(to).has(answer));
  }

  #all(node: Ref): readonly (readonly [Ref, Ranges])[] {
    const known = this.#branches.get(node);
    if (known) return known;
    const branches = [...this.diagram.branches(node)];
    this.#branches.set(node, branches);
    return branches;
  }
}

function* first<T>(some: Iterable<T>, most: number): Generator<T> {
  let count = 0;
  for (const one of some) {
    if (count++ === most) return;
    yield one;
  }
}

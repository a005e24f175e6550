import { type Box, boxesMeet, intersectBoxes } from "../boxes.js";
import { lastOf, range } from "../ranges.js";
import type { Space } from "../space.js";
import type { Numbered } from "./stage.js";

/** A rule, and where it matches. */
export interface Placed extends Numbered {
  readonly boxes: readonly Box[];
}

/** A part of the space, and what has to do with it. */
export interface Piece {
  readonly box: Box;
  /** Where packets are to be compared. */
  readonly wanted: readonly Box[];
  readonly before: Rules;
  readonly after: Rules;
}

export interface Rules {
  readonly mitigate: readonly Placed[];
  readonly firewall: readonly Placed[];
}

/** A piece without what does not concern it. */
export function pieceOf({ box, wanted, before, after }: Piece): Piece {
  const inside = wanted.flatMap((one) => intersectBoxes(one, box) ?? []);
  const concerned = (rules: readonly Placed[]) => {
    return rules.filter(({ boxes }) => boxes.some((one) => inside.some((other) => boxesMeet(one, other))));
  };
  const concernedOf = ({ mitigate, firewall }: Rules): Rules => {
    return { mitigate: concerned(mitigate), firewall: concerned(firewall) };
  };
  return { box, wanted: inside, before: concernedOf(before), after: concernedOf(after) };
}

/** Two pieces, cut where half of the rules' edges lie on either side; undefined: no rule has an edge in it. */
export function split(piece: Piece, space: Space): readonly [Piece, Piece] | undefined {
  const edges = edgesIn(piece, space);
  const [variable, values] = [...edges].reduce(
    (most, one) => (one[1].length > most[1].length ? one : most),
    [0, [] as readonly number[]],
  );
  const middle = values[values.length >> 1];
  if (middle === undefined) return undefined;
  const [low, high] = boundsOf(piece.box, variable, space);
  const half = (from: number, to: number): Piece => {
    const restricts = new Map(piece.box.restricts).set(variable, range(from, to));
    return pieceOf({ ...piece, box: { restricts } });
  };
  return [half(low, middle - 1), half(middle, high)];
}

/** Values of each variable at which something begins in the piece, in order. */
function edgesIn({ box, before, after }: Piece, space: Space): ReadonlyMap<number, readonly number[]> {
  const edges = new Map<number, Set<number>>();
  const all = [before, after].flatMap(({ mitigate, firewall }) => [...mitigate, ...firewall]);
  for (const { restricts } of all.flatMap(({ boxes }) => boxes)) {
    for (const [variable, ranges] of restricts) {
      const [low, high] = boundsOf(box, variable, space);
      const begins = edges.get(variable) ?? new Set();
      edges.set(variable, begins);
      for (let at = 0; at < ranges.length; at += 2) {
        const starts = [ranges[at] as number, (ranges[at + 1] as number) + 1];
        for (const start of starts) if (start > low && start <= high) begins.add(start);
      }
    }
  }
  return new Map([...edges].map(([variable, begins]) => [variable, [...begins].sort((a, b) => a - b)]));
}

function boundsOf({ restricts }: Box, variable: number, space: Space): readonly [number, number] {
  const ranges = restricts.get(variable);
  return [ranges?.at(0) ?? 0, ranges?.at(-1) ?? lastOf(space.variables[variable]?.bits ?? 0)];
}

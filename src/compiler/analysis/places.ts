import { invariant } from "../diagnostics/invariant.js";
import { complement, type Intervals } from "../ir/intervals.js";
import type { Place } from "../ir/wire.js";
import { piecesIn } from "./pieces.js";
import type { Restriction } from "./presence.js";
import { type Ranges, rangesOf, widened } from "./ranges.js";
import { lengthBefore, type Space, wholeNumber } from "./space.js";
import { tilesOf } from "./tiles.js";
import { type Asks, keyOf } from "./variable.js";

/** Conjunctions, of which one holds. */
export type Alternatives = readonly (readonly Restriction[])[];

/** Where the bits of a place are in `set`, or (not wanted) where they are not. */
export function ofPlace(place: Place, set: Intervals, wanted: boolean, space: Space): Alternatives {
  const whole = wholeNumber(place);
  if (whole) {
    const values = shifted(set, lengthBefore(place));
    return tiled([whole], wanted ? values : complementOf(values, variableOf(whole, space).bits), space);
  }
  const { header, offset, width } = place;
  const values = wanted ? set : complementOf(set, width);
  const pieces = piecesIn(space.pieces(header), place);
  const asks = pieces.map((piece): Asks => ({ kind: "bits", headers: [header], ...piece }));
  const [only, ...others] = pieces;
  invariant(only, "the space knows the bits that its rules ask for");
  if (others.length > 0 || only.width === width) return tiled(asks, values, space);
  const below = only.offset + only.width - offset - width;
  return conjunctions(asks, [[widened(rangesOf(values), width, below, only.width)]]);
}

function shifted(set: Intervals, by: number): Intervals {
  return by === 0 ? set : set.map(({ low, high }) => ({ low: low + BigInt(by), high: high + BigInt(by) }));
}

export function tiled(asks: readonly Asks[], set: Intervals, space: Space): Alternatives {
  if (asks.length === 1) return conjunctions(asks, [[rangesOf(set)]]);
  const widths = asks.map((one) => variableOf(one, space).bits);
  return conjunctions(asks, tilesOf(set, widths));
}

/** What says nothing is left out, what cannot be is no alternative. */
function conjunctions(asks: readonly Asks[], tiles: readonly (readonly Ranges[])[]): Alternatives {
  return tiles
    .filter((tile) => tile.every((ranges) => ranges.length > 0))
    .map((tile) =>
      asks.map((one, index) => {
        const allows = tile[index];
        invariant(allows, "a tile has as many sides as there are variables");
        return { asks: one, allows };
      }),
    );
}

/** The variable that asks this; the space has it. */
export function variableOf(asks: Asks, space: Space): { readonly index: number; readonly bits: number } {
  const index = space.indexOf(keyOf(asks));
  const variable = index === undefined ? undefined : space.variables[index];
  invariant(index !== undefined && variable, `${keyOf(asks)} is in the space`);
  return { index, bits: variable.bits };
}

/** Each of a policy's sets is asked for often, and some are long. The same empty one may be asked for at several widths. */
const complements = new WeakMap<Intervals, Map<number, Intervals>>();

export function complementOf(set: Intervals, width: number): Intervals {
  const ofSet = complements.get(set) ?? new Map<number, Intervals>();
  const made = ofSet.get(width) ?? complement(set, width);
  complements.set(set, ofSet.set(width, made));
  return made;
}

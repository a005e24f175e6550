import { invariant } from "../diagnostics/invariant.js";
import type { Place } from "../ir/wire.js";

/** Bits of a header, `offset` bits from its start. */
export interface Piece {
  readonly offset: number;
  readonly width: number;
}

/** A place with so many bits of its piece above it is still a number of ranges of the piece: 2^ABOVE times as many. */
const ABOVE = 4;
const WIDEST = 32;

/**
 * Cuts the bits that are asked of one header so that each place is some of one piece, or several whole pieces. Places that
 * overlap stay together while that is cheap: the fragment offset is 13 of the 14 bits that say whether there is a fragment.
 */
export function piecesOf(places: readonly Place[]): readonly Piece[] {
  return clustersOf(places).flatMap(cut);
}

interface Cluster {
  readonly start: number;
  readonly end: number;
  readonly places: readonly Place[];
}

/** Places that overlap, directly or by others between them. */
function clustersOf(places: readonly Place[]): readonly Cluster[] {
  const clusters: Cluster[] = [];
  for (const place of [...places].sort((a, b) => a.offset - b.offset)) {
    const last = clusters.at(-1);
    const end = place.offset + place.width;
    if (last && place.offset < last.end) {
      clusters[clusters.length - 1] = {
        start: last.start,
        end: Math.max(last.end, end),
        places: [...last.places, place],
      };
    } else clusters.push({ start: place.offset, end, places: [place] });
  }
  return clusters;
}

function cut({ start, end, places }: Cluster): readonly Piece[] {
  const isCheap = end - start <= WIDEST && places.every(({ offset }) => offset - start <= ABOVE);
  if (isCheap) return [{ offset: start, width: end - start }];
  const bounds = new Set(places.flatMap(({ offset, width }) => [offset, offset + width]));
  const sorted = [...bounds].sort((a, b) => a - b);
  return sorted.slice(1).map((bound, index) => {
    const offset = sorted[index];
    invariant(offset !== undefined, "a piece starts where the one before it ends");
    return { offset, width: bound - offset };
  });
}

/** The pieces that a place consists of, or the one that it lies in. */
export function piecesIn(pieces: readonly Piece[], { offset, width }: Place): readonly Piece[] {
  return pieces.filter((piece) => piece.offset < offset + width && offset < piece.offset + piece.width);
}

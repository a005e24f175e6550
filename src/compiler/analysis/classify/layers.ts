import { ADDRESS_BITS } from "../../ir/address.js";
import type { Intervals } from "../../ir/intervals.js";
import type { Addresses } from "./classifier.js";
import type { Effort } from "./effort.js";
import { cellsAtMost, type Entry, EVERYWHERE } from "./matrix.js";

/**
 * Entries as few layers, each with a small matrix. One wide entry fills a row or a column of the matrix, and many of them all
 * of it; where those that are wide at one end only are kept apart, every matrix has narrow rows and columns but for a few.
 */
export function layersOf(
  entries: readonly Entry[],
  addresses: Addresses,
  effort: Effort,
): Layers | undefined {
  const members = [addresses.sources, addresses.destinations].flatMap((end) => end.members);
  const each = members.reduce((sum, { length }) => sum + CLASS + MEMBER * length, 0);
  const cells = (layer: readonly Entry[]) =>
    effort.spend(each + layer.length) ? cellsAtMost({ entries: layer, ...addresses }) : 0;
  if (entries.length === 0) return [];
  if (cells(entries) <= ONE_LAYER) return [entries];
  let best: Layers = [entries];
  let fewest = Number.POSITIVE_INFINITY;
  for (const bits of WIDTHS) {
    const layers = byWidth(entries, addresses, bits);
    const sum = layers.reduce((all, layer) => all + cells(layer), 0);
    if (sum < fewest) [best, fewest] = [layers, sum];
  }
  const small = best.flatMap((layer) => halved(layer, cells));
  return small.length <= MOST_LAYERS && effort.spend(0) ? joined(small, cells) : undefined;
}

/** What it costs to say in which of a layer's sets a class of addresses is. */
const CLASS = 200;
const MEMBER = 50;

/** Each layer costs a packet a few cache lines, so those that are small together are one. */
function joined(layers: Layers, cells: (layer: readonly Entry[]) => number): Layers {
  let [best, fewest]: [Layers, number] = [layers, JOINED];
  layers.forEach((one, index) => {
    layers.slice(index + 1).forEach((other) => {
      const both = [...one, ...other].sort((a, b) => a.rank - b.rank);
      const sum = cells(both);
      if (sum > fewest) return;
      fewest = sum;
      best = [...layers.filter((layer) => layer !== one && layer !== other), both];
    });
  });
  return best === layers ? layers : joined(best, cells);
}

type Layers = readonly (readonly Entry[])[];

/** Entries that meet in too many cells do so less when there are fewer of them. */
function halved(layer: readonly Entry[], cells: (layer: readonly Entry[]) => number): Layers {
  if (cells(layer) <= MOST_CELLS || layer.length === 1) return [layer];
  const middle = layer.length >> 1;
  return [layer.slice(0, middle), layer.slice(middle)].flatMap((half) => halved(half, cells));
}

const ONE_LAYER = 32_768;
const JOINED = 65_536;
const MOST_CELLS = 1 << 19;
const MOST_LAYERS = 7;
/** An address set is wide if it has one of so many parts of all addresses, as a power of two. */
const WIDTHS = [0, 4, 8, 12, 16, 24];

function byWidth(
  entries: readonly Entry[],
  { sets, sources }: Addresses,
  bits: number,
): readonly (readonly Entry[])[] {
  const all = ADDRESS_BITS[sources.starts.length === 1 ? 4 : 6];
  const isWide = (ranges: readonly Intervals[]) => {
    const wide = ranges.map((set) => sizeOf(set) >= 2 ** (all - bits));
    return (set: number) => set === EVERYWHERE || wide[set] === true;
  };
  const wideSource = isWide(sets.of("ip.src"));
  const wideDestination = isWide(sets.of("ip.dst"));
  const layers: readonly Entry[][] = [[], [], [], []];
  for (const entry of entries) {
    const layer = (wideDestination(entry.destination) ? 1 : 0) + (wideSource(entry.source) ? 2 : 0);
    layers[layer]?.push(entry);
  }
  return layers.filter((layer) => layer.length > 0);
}

function sizeOf(set: Intervals): number {
  return set.reduce((sum, { low, high }) => sum + Number(high - low + 1n), 0);
}

import { ADDRESS_BITS } from "../../ir/address.js";
import type { Intervals } from "../../ir/intervals.js";
import { EVERYWHERE } from "./matrix.js";
import type { VectorInput, VectorTerm } from "./vectors.js";

/** Bits that are looked at one after the other: those of terms in the order of their values. Both ends are whole words. */
export interface Run {
  readonly from: number;
  readonly until: number;
}

export interface PlacedTerm extends VectorTerm {
  readonly bit: number;
}

/** Which bit each term is. */
export interface Layout {
  readonly terms: readonly PlacedTerm[];
  readonly bits: number;
  readonly deciding: readonly Run[];
  readonly passing: Run | null;
  /** By bit; those between runs are nobody's. */
  readonly values: readonly number[];
}

/** Bits that the walker looks at together. */
export const WORD_BITS = 64;
/** Runs of a stage: TG_RUNS in bpf-templates/vectors.h. */
export const MOST_RUNS = 12;
/** A run with fewer terms is not worth a look of its own. */
const FEWEST = 2 * WORD_BITS;

/**
 * Terms that are narrow in the same things stand together. So most words of a vector are empty, and the words that no vector
 * has empty are few: were wide and narrow ones mixed, there would be a wide one in every word.
 */
export function layoutOf(input: VectorInput): Layout {
  const terms: PlacedTerm[] = [];
  const values: number[] = [];
  const run = (all: readonly VectorTerm[]): Run => {
    const from = values.length;
    for (const term of all) {
      terms.push({ ...term, bit: values.length });
      values.push(term.value);
    }
    while (values.length % WORD_BITS !== 0) values.push(0);
    return { from, until: values.length };
  };
  const deciding = groupsOf(input).map(run);
  const passing = input.passing.length > 0 ? run(input.passing) : null;
  return { terms, bits: values.length, deciding, passing, values };
}

/** In the order of their first terms, so that the walker can stop at a run that begins behind what it has. */
function groupsOf(input: VectorInput): readonly (readonly VectorTerm[])[] {
  const groups = new Map<string, VectorTerm[]>();
  const kindOf = kinds(input);
  for (const term of input.deciding) {
    const kind = kindOf(term);
    const known = groups.get(kind);
    if (known) known.push(term);
    else groups.set(kind, [term]);
  }
  const bySize = [...groups.values()].sort((a, b) => b.length - a.length || first(a) - first(b));
  const large = bySize.filter(({ length }, index) => index < MOST_RUNS - 1 && length >= FEWEST);
  const rest = bySize.slice(large.length).flat();
  return [...large, ...(rest.length > 0 ? [rest.sort((a, b) => a.value - b.value)] : [])].sort(
    (a, b) => first(a) - first(b),
  );
}

function first([term]: readonly VectorTerm[]): number {
  return term?.value ?? 0;
}

/** What a term is narrow in, in words. */
function kinds({ sets, sources }: VectorInput): (term: VectorTerm) => string {
  const bits = ADDRESS_BITS[sources.starts.length === 1 ? 4 : 6];
  const narrow = (all: readonly Intervals[]) => all.map((set) => isNarrow(set, bits));
  const [from, to] = [narrow(sets.of("ip.src")), narrow(sets.of("ip.dst"))];
  return ({ source, destination, shape }) => {
    const asked = [...shape].flatMap(([key, { question, allowed }]) =>
      !allowed.absent && question.bits > 1 && isNarrow(allowed.ranges, question.bits) ? [key] : [],
    );
    const ends = [
      ...(source !== EVERYWHERE && from[source] ? ["source"] : []),
      ...(destination !== EVERYWHERE && to[destination] ? ["destination"] : []),
    ];
    return [...ends, ...asked.sort()].join();
  };
}

/** A set is wide if it has one of so many parts of all numbers. */
const PARTS = 32;

function isNarrow(set: Intervals, bits: number): boolean {
  const size = set.reduce((sum, { low, high }) => sum + Number(high - low + 1n), 0);
  return size * PARTS < 2 ** bits;
}

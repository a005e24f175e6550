/** What a packet pays, in nanoseconds, and how large a stage may become: docs/classification.md has the measurements. */
export interface Tuning {
  /** Up to so many lines a stage is one chain: nothing is faster, and people can read it. */
  readonly chainLines: number;
  /** A line that does not match. */
  readonly line: number;
  /** A lookup in a verdict map, and the way to the chain that it names. */
  readonly lookup: number;
  /** One more tree to go through. */
  readonly tree: number;
  /** Of lists that hold fewer items none is better: what they save are lines that come with the same memory. */
  readonly shortList: number;
  /** A list, in lines, for each item that is sorted: its element and its chain are memory that nothing else needs. */
  readonly list: number;
  /** How many times the items of a tree its lists may hold together. */
  readonly growth: number;
}

export const MEASURED: Tuning = {
  chainLines: 16,
  line: 25,
  lookup: 150,
  tree: 200,
  shortList: 6,
  list: 4,
  growth: 4,
};

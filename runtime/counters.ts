import type { DumpedEntry } from "./loader-client.js";

/** What was counted: packets, and bytes of the packets' own length. */
export interface Counter {
  readonly packets: number;
  readonly bytes: number;
}

/** By name of a rule, or of what else is counted. */
export type Counters = Readonly<Record<string, Counter>>;

/** The `index`th {u64 packets, u64 bytes} of a BPF map's value. */
export function readCounter(value: Buffer, index = 0): Counter {
  const at = index * 16;
  return { packets: Number(value.readBigUInt64LE(at)), bytes: Number(value.readBigUInt64LE(at + 8)) };
}

export function sum(counters: readonly Counter[]): Counter {
  return counters.reduce(
    (total, one) => ({ packets: total.packets + one.packets, bytes: total.bytes + one.bytes }),
    { packets: 0, bytes: 0 },
  );
}

/** What either has counted, under the names of both. */
export function addCounters(one: Counters, other: Counters): Counters {
  const names = [...Object.keys(one), ...Object.keys(other)];
  const both = (name: string) => [one[name], other[name]].filter((counter) => counter !== undefined);
  return Object.fromEntries(names.map((name) => [name, sum(both(name))]));
}

/** A per-CPU array of counters by name, summed over CPUs. `names` in index order, from index `first` on. */
export function namedCounters(
  entries: readonly DumpedEntry[],
  names: readonly string[],
  first = 0,
): Counters {
  const byIndex = new Map(entries.map(({ key, values }) => [key.readUInt32LE(), values]));
  return Object.fromEntries(
    names.map((name, index) => {
      const values = byIndex.get(first + index) ?? [];
      return [name, sum(values.map((value) => readCounter(value)))];
    }),
  );
}

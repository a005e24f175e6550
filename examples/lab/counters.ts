/** Packets by counter, such as `acme mitigate/bogons` or `root/malformed`, on one edge. */
export type Counters = ReadonlyMap<string, number>;

/** What moved between two readings; counters that stood still are not in it. */
export function moved(before: Counters, after: Counters): Counters {
  const deltas = [...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const);
  return new Map(deltas.filter(([, delta]) => delta !== 0));
}

export function addCounters(a: Counters, b: Counters): Counters {
  const sum = new Map(a);
  for (const [name, value] of b) sum.set(name, (sum.get(name) ?? 0) + value);
  return sum;
}

/** Only the counters of rules and defaults of the stages: what the reference predicts exactly. */
export function ofStages(counters: Counters): Counters {
  return new Map([...counters].filter(([name]) => / (mitigate|firewall)\//.test(name)));
}

export function sameCounters(a: Counters, b: Counters): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

export function formatCounters(counters: Counters): string {
  if (counters.size === 0) return "none moved";
  return [...counters].map(([name, value]) => `${name} +${value}`).join(", ");
}

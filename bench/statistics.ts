/** The value below which `share` of the numbers lie (nearest rank); NaN of none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** Of several rounds over the same things, the median of each thing. */
export function medians(rounds: readonly ArrayLike<number>[]): readonly number[] {
  const length = rounds[0]?.length ?? 0;
  return Array.from({ length }, (_, index) => median(rounds.map((round) => round[index] ?? Number.NaN)));
}

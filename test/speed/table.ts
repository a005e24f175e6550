/** What was measured, in milliseconds, and the bar that it is held against. */
export interface Row {
  readonly name: string;
  readonly times: readonly number[];
  /** The p50 that the project wants, in milliseconds. */
  readonly bar?: number;
}

/** The rows as a table; `base` is what all are divided by. */
export function table(rows: readonly Row[], base: readonly number[]): string {
  const head = "| to the answer | p50 ms | p95 ms | bar | × `nft -f` |\n|---|---:|---:|---|---:|";
  return [head, ...rows.map((row) => line(row, quantile(base, 0.5)))].join("\n");
}

function line({ name, times, bar }: Row, base: number): string {
  const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
  const reached = bar === undefined ? "" : `${p50 < bar ? "under" : "over"} ${bar}`;
  return `| ${name} | ${p50.toFixed(0)} | ${p95.toFixed(0)} | ${reached} | ${(p50 / base).toFixed(1)} |`;
}

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

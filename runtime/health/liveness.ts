/** Unknown counts as live: a tunnel is dead only when its router was asked and did not answer. */
export type Life = "unknown" | "live" | "dead";

/** What is thought of a router, and how many probes in a row have said otherwise, or (unknown) the same. */
export interface Liveness {
  readonly life: Life;
  /** Answers in a row; 0 after a loss. */
  readonly answers: number;
  /** Losses in a row; 0 after an answer. */
  readonly losses: number;
}

/** So many in a row change what is thought. */
export interface Thresholds {
  readonly up: number;
  readonly down: number;
}

export function startingAs(life: Life): Liveness {
  return { life, answers: 0, losses: 0 };
}

/** What is thought after one more probe. */
export function after(before: Liveness, answered: boolean, { up, down }: Thresholds): Liveness {
  const answers = answered ? before.answers + 1 : 0;
  const losses = answered ? 0 : before.losses + 1;
  if (answers >= up) return { life: "live", answers, losses };
  if (losses >= down) return { life: "dead", answers, losses };
  return { life: before.life, answers, losses };
}

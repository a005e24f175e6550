/** How much to measure. */
export interface Effort {
  /** Packets of which each is measured by itself. */
  readonly hotPackets: number;
  /** Test runs of one packet in a round. */
  readonly repeat: number;
  /** Packets of a trace, each another than the one before. */
  readonly tracePackets: number;
  /** Packets whose verdict is held against the rules. */
  readonly answers: number;
  /** Packets that go through an edge in a round. */
  readonly floodPackets: number;
  readonly rounds: number;
}

export const FULL: Effort = {
  hotPackets: 400,
  repeat: 200,
  tracePackets: 100_000,
  answers: 20_000,
  floodPackets: 500_000,
  rounds: 7,
};
export const QUICK: Effort = {
  hotPackets: 40,
  repeat: 20,
  tracePackets: 2000,
  answers: 1000,
  floodPackets: 5000,
  rounds: 3,
};

import { type Datagrams, newDatagrams } from "./datagram.js";

/**
 * What the kernel remembers from packet to packet. `evaluate` writes it, as kernel maps and queues are written: packets must
 * be judged in the order of their arrival.
 */
export interface State {
  /**
   * The theoretical arrival time (nanoseconds) of each key of each limit. A key that is not in it has TAT 0. Unbounded
   * here; kernel tables are bounded as docs/semantics.md says.
   */
  readonly arrivals: Map<string, bigint>;
  /** Parts of datagrams that a stateful firewall awaits the rest of. */
  readonly datagrams: Datagrams;
}

export function newState(): State {
  return { arrivals: new Map(), datagrams: newDatagrams() };
}

/** Takes out what says no more at `now` or later than its absence does: an arrival time that has passed. */
export function forgetIdle({ arrivals }: State, now: bigint): void {
  for (const [key, arrival] of arrivals) if (arrival <= now) arrivals.delete(key);
}

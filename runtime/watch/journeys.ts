import type { TraceMessage } from "./trace.js";

/** A rule in a chain, by what nf_tables calls it. */
export interface Step {
  readonly chain: string;
  readonly handle: bigint;
}

/** What the firewall decided of a packet. */
export interface Decision {
  readonly verdict: "drop" | "accept";
  readonly ethernet: Uint8Array;
  /** What is known of the packet, from its IP header on. */
  readonly bytes: Uint8Array;
  /** The rules that may have decided, the last one first: of them, the first that has a name did. */
  readonly steps: readonly Step[];
}

interface Journey {
  packet: TraceMessage["packet"];
  readonly steps: Step[];
}

/** Packets whose last message was lost are forgotten when so many others are on their way. */
const MOST = 1024;

/** Puts the messages of each packet together to what was decided of it in one table. */
export class Journeys {
  readonly #table: string;
  readonly #journeys = new Map<number, Journey>();

  constructor(table: string) {
    this.#table = table;
  }

  /** The decision that this message ends, if it ends one. */
  add(message: TraceMessage): Decision | undefined {
    const journey = this.#journeys.get(message.id) ?? this.#begin(message.id);
    journey.packet ??= message.packet;
    if (message.table !== this.#table) return undefined;
    const { verdict, chain, handle } = message;
    // What a rule that packets pass says is not yet the verdict: it counts, logs or leads into a chain.
    if (message.kind === "rule" && verdict !== "continue" && verdict !== "jump")
      journey.steps.unshift({ chain, handle });
    if (verdict !== "drop" && verdict !== "accept") return undefined;
    this.#journeys.delete(message.id);
    if (!journey.packet) return undefined;
    return { verdict, ...journey.packet, steps: journey.steps };
  }

  #begin(id: number): Journey {
    const [oldest] = this.#journeys.size >= MOST ? this.#journeys.keys() : [];
    if (oldest !== undefined) this.#journeys.delete(oldest);
    const journey: Journey = { packet: null, steps: [] };
    this.#journeys.set(id, journey);
    return journey;
  }
}

import type { Host } from "../host.js";
import { FirewallRules } from "./firewall-rules.js";
import { Generations, type Judging } from "./generations.js";
import { type Decision, Journeys } from "./journeys.js";
import { DEFAULT, type Decider, deciderAt, deciderNamed } from "./rules.js";
import { type DropSample, readSample, stampIn } from "./sample.js";
import { readTrace } from "./trace.js";
import type { WatcherEvent } from "./watcher.js";

/** One packet, and what became of it. */
export interface WatchedPacket {
  /** Nanoseconds since 1970. */
  readonly at: bigint;
  /** null: nobody's, or of nobody who is known any more. */
  readonly customer: string | null;
  readonly generation: number | null;
  readonly verdict: Decider["verdict"] | "malformed";
  readonly stage: Decider["stage"] | "root";
  /** null: the stage's default, or what is no rule of the policy: see `reason`. */
  readonly rule: string | null;
  /** Of the rule, in this file of the policy. */
  readonly line: number | null;
  readonly file: string | null;
  /** What decided where the policy did not; null: it did. */
  readonly reason: string | null;
  /** Where it was judged: in XDP, or by nftables in the namespace. */
  readonly where: "xdp" | "nft";
  /** What was kept of it, from this header on. */
  readonly link: "ethernet" | "ip";
  readonly bytes: Uint8Array;
  /** Bytes of all of it, from the same header on; null: as its IP header says. */
  readonly length: number | null;
}

type Judged = Pick<
  WatchedPacket,
  "customer" | "generation" | "verdict" | "stage" | "rule" | "line" | "file" | "reason"
>;

const TABLE = "tidegate";

/** Finds out which rule of whose policy an event speaks of. */
export class Judge {
  readonly #generations: Generations;
  readonly #rules: FirewallRules;
  readonly #journeys = new Map<string, Journeys>();

  constructor(host: Host) {
    this.#generations = new Generations(host.paths);
    this.#rules = new FirewallRules(host);
  }

  /** undefined: the event is not yet, or no longer, what a packet can be told of. */
  async judged(event: WatcherEvent): Promise<WatchedPacket | undefined> {
    switch (event.kind) {
      case "drop": {
        const sample = readSample(event.sample);
        return sample && this.#dropped(sample);
      }
      case "trace": {
        const message = readTrace(event.message);
        const decision = message && this.#journeysOf(event.name).add(message);
        return decision && this.#decided(event.name, decision, event.at);
      }
      case "lost":
        return undefined;
    }
  }

  async #dropped(sample: DropSample): Promise<WatchedPacket> {
    const { at, length, frame } = sample;
    return {
      ...(await this.#whoDropped(sample)),
      at: at + sinceBoot(),
      where: "xdp",
      link: "ethernet",
      bytes: Uint8Array.from(frame),
      length,
    };
  }

  async #whoDropped({ cause, slot, rule, frame }: DropSample): Promise<Judged> {
    if (cause === "malformed") return { ...NOBODY, verdict: "malformed", stage: "root" };
    const judging = slot === null ? undefined : await this.#generations.inSlot(slot, stampIn(frame));
    const who = judging ? about(judging) : NOBODY;
    if (cause === "closed")
      return { ...who, verdict: "drop", stage: "root", reason: "the customer is closed" };
    const decider = judging && deciderAt(judging.manifest, rule);
    if (decider) return { ...who, ...decider };
    return { ...who, verdict: "drop", stage: "mitigate", reason: "a rule that is gone" };
  }

  async #decided(customer: string, decision: Decision, at: bigint): Promise<WatchedPacket | undefined> {
    const judging = await this.#generations.of(customer, stampIn(decision.ethernet));
    const dropped = decision.verdict === "drop";
    const found = await this.#rules.deciding(judging?.manifest.namespace ?? `tg-${customer}`, decision.steps);
    const decider = found?.name && judging ? deciderNamed(judging.manifest, found.name, dropped) : undefined;
    // Every hook has a say; what lets through without a name has not judged.
    if (!decider && !dropped) return undefined;
    const other = found?.name === DEFAULT ? null : (found?.name ?? found?.counter ?? "a rule that is gone");
    return {
      ...(judging ? about(judging) : { ...NOBODY, customer }),
      ...(decider ?? { verdict: "drop", stage: "firewall", reason: other }),
      at: at + sinceBoot(),
      where: "nft",
      link: "ip",
      bytes: Uint8Array.from(decision.bytes),
      length: null,
    };
  }

  #journeysOf(name: string): Journeys {
    const known = this.#journeys.get(name) ?? new Journeys(TABLE);
    this.#journeys.set(name, known);
    return known;
  }
}

const NOBODY = {
  customer: null,
  generation: null,
  rule: null,
  line: null,
  file: null,
  reason: null,
} as const;

function about({
  customer,
  generation,
  manifest,
}: Judging): typeof NOBODY | Omit<Judged, "verdict" | "stage"> {
  return { ...NOBODY, customer, generation, file: manifest.source.file };
}

/** From the clock of samples, CLOCK_MONOTONIC, which process.hrtime() reads too, to the time of day. */
function sinceBoot(): bigint {
  return BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
}

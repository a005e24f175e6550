import type { Policy } from "../../src/compiler/ir/policy.js";
import { type Counters, moved } from "./counters.js";
import type { World } from "./world.js";

export const EDGES = ["edge-1", "edge-2", "edge-3"] as const;
export type EdgeName = (typeof EDGES)[number];

/** A running record of the IP packets that arrive somewhere, in order. */
export interface Arrivals {
  readonly packets: readonly Buffer[];
  /** Lets what was delivered until now appear in `packets`. */
  settle(): Promise<void>;
}

/** The lab with Tidegate running on its edges: what the journeys are made in. */
export interface Lab {
  readonly world: World;
  /** The policies that all edges run, customer by customer. */
  readonly policies: readonly Policy[];
  /** What the edges were like before the first bundle: `portrait` of edges.ts, by edge. */
  readonly found: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** What arrives, by host, at every host where a packet can end. */
  readonly arrivals: ReadonlyMap<string, Arrivals>;
  /** The counters that `tidegate status` shows on an edge now. */
  counters(edge: EdgeName): Promise<Counters>;
}

/** One packet (or one kind of packet) of a journey, with what was expected and what was seen. */
export interface Row {
  readonly packet: string;
  /** The reference's word for it, such as "drop". */
  readonly verdict: string;
  readonly reference: string;
  readonly kernel: string;
  readonly counters: string;
  /** Reference, arrival and counters all say the same. */
  readonly agrees: boolean;
}

export interface Journey {
  readonly title: string;
  /** What there is to see, in a sentence. */
  readonly about: string;
  travel(lab: Lab): Promise<readonly Row[]>;
}

/** What the kernel did while `work` ran. */
export interface Observed<T> {
  readonly result: T;
  /** The counters that moved, by edge; none for an edge that was not asked. */
  readonly moved: Readonly<Record<EdgeName, Counters>>;
  /** Packets that arrived, by host; only hosts where some did. */
  readonly arrived: ReadonlyMap<string, readonly Buffer[]>;
}

/**
 * Nothing else is sent in the lab meanwhile, so whatever moved or arrived is due to `work`. Only `edges` are asked for
 * their counters.
 */
export async function observe<T>(
  lab: Lab,
  edges: readonly EdgeName[],
  work: () => Promise<T>,
): Promise<Observed<T>> {
  const marks = new Map([...lab.arrivals].map(([host, capture]) => [host, capture.packets.length]));
  const before = await readAll(lab, edges);
  const result = await work();
  await Promise.all([...lab.arrivals.values()].map((capture) => capture.settle()));
  const after = await readAll(lab, edges);
  const arrived = [...lab.arrivals].map(
    ([host, capture]) => [host, capture.packets.slice(marks.get(host))] as const,
  );
  return {
    result,
    moved: byEdge((edge) => moved(before[edge], after[edge])),
    arrived: new Map(arrived.filter(([, packets]) => packets.length > 0)),
  };
}

async function readAll(lab: Lab, edges: readonly EdgeName[]): Promise<Readonly<Record<EdgeName, Counters>>> {
  const read = await Promise.all(edges.map(async (edge) => [edge, await lab.counters(edge)] as const));
  const counters = new Map(read);
  return byEdge((edge) => counters.get(edge) ?? new Map());
}

function byEdge<T>(of: (edge: EdgeName) => T): Readonly<Record<EdgeName, T>> {
  return { "edge-1": of("edge-1"), "edge-2": of("edge-2"), "edge-3": of("edge-3") };
}

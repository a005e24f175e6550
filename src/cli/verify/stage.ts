import type { TestPacket } from "../../verify/packets.js";

/**
 * `forward`: sent into its tunnel from XDP. `unreached`: the kernel dropped it before the stage could see it. `other`: what no
 * stage of ours ever does.
 */
export type KernelVerdict = "pass" | "drop" | "forward" | "unreached" | "other";

/** What the kernel did with packets, in their order. */
export interface KernelRun {
  readonly verdicts: readonly KernelVerdict[];
  /** The frames of those packets that left by their tunnels; of others, and where none can leave, nothing. */
  readonly sent: readonly (Uint8Array | null)[];
  /** Packets by counter, those of this run alone: rules by name, and DEFAULT and the like in brackets. */
  readonly counted: ReadonlyMap<string, number>;
  /** The packets as the kernel met them: with what it says of their connections. */
  readonly met: readonly TestPacket[];
  /** How long the packets took. */
  readonly seconds: number;
}

export type Rush = Pick<KernelRun, "counted" | "seconds">;

/** One stage of a policy, loaded in the real kernel. */
export interface KernelStage {
  readonly name: StageName;
  /** Forgets everything about packets before: allowances of limits, parts of datagrams. */
  reset(): Promise<void>;
  run(packets: readonly TestPacket[]): Promise<KernelRun>;
  /** The same packet so many times, as fast as this machine can: nothing else is done between them, or told of each. */
  rush(packet: TestPacket, times: number): Promise<Rush>;
  /** Takes it out of the kernel. */
  unload(): Promise<void>;
}

export type StageName = "xdp" | "nft";

/** The counter of packets that no rule decided; a rule's name has no brackets. */
export const DEFAULT = "(default)";
/** In XDP, whose DEFAULT is that of `mitigate`. */
export const FIREWALL_DEFAULT = "(firewall default)";
/** Counters of the root program. */
export const MALFORMED = "(malformed)";
export const FOREIGN = "(foreign)";
export const DISPATCHED = "(dispatched)";

/** Of a tunnel that packets are sent into from XDP. */
export function sentInto(tunnel: string): string {
  return `(into ${tunnel})`;
}

/** What a stage should do with one packet, and the counters that should count it. */
export interface Expected {
  readonly verdict: Exclude<KernelVerdict, "other">;
  /** Only with `forward`: the frame that should leave. */
  readonly sent?: Uint8Array;
  readonly counted: readonly string[];
}

/** Does `work`, which runs packets, and says what `counters` counted of them. */
export async function counting<T>(
  counters: () => Promise<ReadonlyMap<string, number>>,
  work: () => Promise<T>,
): Promise<Rush & { readonly result: T }> {
  const before = await counters();
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  return { result, seconds, counted: countedSince(before, await counters()) };
}

function countedSince(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
}

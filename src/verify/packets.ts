import type { Policy } from "../compiler/ir/policy.js";
import type { Surroundings } from "../compiler/semantics/decode.js";
import { boundarySessions } from "./boundary.js";
import { aimed } from "./random.js";
import { inTime, restOf } from "./session.js";
import { witnessesOf } from "./witness.js";

/** A packet that a policy is tested with, and when it comes. */
export interface TestPacket {
  /** From the IP header on; padding may follow. */
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
  /** In nanoseconds; never before that of the packet before it. */
  readonly at: bigint;
  /** What it is there for, as in "ftp: tcp.dstport 22, outside". */
  readonly why: string;
}

/**
 * For every rule: each edge of each of its constants, from inside and from outside, with all else such that just this
 * constant decides; then the rule's packet as a fragment, truncated, with another protocol, behind other headers. Besides
 * those, packets for the defaults, the prefixes and the routes, and malformed ones. The same policy gives the same packets.
 */
export function boundaryPackets(policy: Policy): readonly TestPacket[] {
  return inTime(boundarySessions(policy), restOf(policy));
}

/** What became of the mutants of a policy. */
export interface MutantCounts {
  /** Some packets tell them from the policy. */
  readonly told: number;
  /** No packet can. */
  readonly equivalent: number;
  /** Neither was found within the effort. */
  readonly undecided: number;
  /** Of a large policy, those that were not looked at. */
  readonly left: number;
}

export interface WitnessSuite {
  readonly packets: readonly TestPacket[];
  readonly mutants: MutantCounts;
}

/** The mutants of a policy of some sixty rules; of a larger one, as many from all over it. */
const MOST_MUTANTS = 4000;

/** For every mutation of the policy that some packet can show, one that does. */
export function witnessSuite(policy: Policy): WitnessSuite {
  const { sessions, told, equivalent, open, left } = witnessesOf(policy, MOST_MUTANTS);
  return {
    packets: inTime(sessions, restOf(policy)),
    mutants: { told: told.length, equivalent: equivalent.length, undecided: open.length, left },
  };
}

/** Packets without end, aimed at the policy's constants, malformed ones among them. */
export function randomPackets(policy: Policy, seed: number): Generator<TestPacket> {
  return aimed(policy, seed);
}

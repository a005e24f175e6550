import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Chance } from "../../src/compiler/analysis/chance.js";
import { comparePolicies } from "../../src/compiler/analysis/diff/compare.js";
import { packetIn } from "../../src/compiler/analysis/packets/packet-in.js";
import { CONNECTIONS } from "../../src/compiler/analysis/packets/template.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { gateOf } from "../../src/compiler/semantics/gates.js";
import { boundarySessions } from "../../src/verify/boundary.js";
import { tellsApart } from "../../src/verify/observe.js";
import { randomPackets, type TestPacket } from "../../src/verify/packets.js";
import { type Session, single } from "../../src/verify/session.js";
import { LONGEST } from "../../src/verify/shapes.js";
import { witnessesOf } from "../../src/verify/witness.js";
import { policyIn, writtenPolicies } from "../support/language-arbitrary.js";
import { policyFiles, readPolicyFile } from "../support/policies.js";
import { mistakeIn } from "../support/policy-changes.js";

/**
 * What `verify` sends, held against mistakes that it was not made for. A mistake survives that it does not show, and that a packet
 * found in another way does: by `diff`, or by chance aimed at either policy.
 */

const MISTAKES = 40;
const PROBES = 100;

interface Kills {
  readonly told: number;
  readonly survived: readonly string[];
}

function killsOf(policy: Policy, seed: number): Kills {
  const suite = [...witnessesOf(policy).sessions, ...boundarySessions(policy)];
  const chance = new Chance(seed);
  const mistakes = Array.from({ length: MISTAKES }, () => mistakeIn(policy, chance)).flatMap(
    (one) => one ?? [],
  );
  const own = probesOf(policy, seed);
  const tells = (sessions: Iterable<Session>, other: Policy) => {
    for (const session of sessions) if (tellsApart(session, policy, other)) return true;
    return false;
  };
  const untold = mistakes.filter(({ policy: other }) => !tells(suite, other));
  const survived = untold.filter(({ policy: other }) => {
    return tells(own, other) || tells(probesOf(other, seed), other) || tells(differing(policy, other), other);
  });
  return { told: mistakes.length - untold.length, survived: survived.map(({ what }) => what) };
}

function probesOf(policy: Policy, seed: number): readonly Session[] {
  const probes: Session[] = [];
  for (const packet of randomPackets(policy, seed)) {
    if (canBe(packet) && isSent(packet) && probes.push(single(packet, "chance")) === PROBES) break;
  }
  return probes;
}

/** What the kernel drops between the stages is left aside, also where the firewall would drop it early. */
function isSent({ bytes, surroundings }: Pick<TestPacket, "bytes" | "surroundings">): boolean {
  const decoded = decode(bytes, undefined, surroundings);
  return decoded.kind === "packet" && bytes.length <= LONGEST && gateOf(decoded.packet) === null;
}

/** Chance may ask for a state that no connection has. */
function canBe({ surroundings: { connection } }: TestPacket): boolean {
  return connection === undefined || connection === null || CONNECTIONS.includes(BigInt(connection));
}

function* differing(before: Policy, after: Policy): Generator<Session> {
  const { space, differences } = comparePolicies(before, after);
  const prefixes = before.prefixes.map(({ prefix }) => prefix);
  for (const box of differences.flatMap(({ boxes }) => boxes)) {
    const found = packetIn(box, space, prefixes);
    if (found && isSent(found)) yield single(found, "diff");
  }
}

describe.each(policyFiles())("$name", ({ file }) => {
  test("every mistake shows, but for those that change nothing", () => {
    const { told, survived } = killsOf(readPolicyFile(file), 1);
    expect(survived).toEqual([]);
    expect(told).toBeGreaterThan(0);
  });
});

const A_WHILE = 600_000;

test("so it is in policies that chance wrote", { timeout: A_WHILE }, () => {
  let told = 0;
  fc.assert(
    fc.property(writtenPolicies, fc.nat(), (written, seed) => {
      const policy = policyIn(written);
      fc.pre(policy !== undefined);
      const kills = killsOf(policy, seed);
      told += kills.told;
      expect(kills.survived, written.text).toEqual([]);
    }),
    { numRuns: 6 },
  );
  expect(told).toBeGreaterThan(6 * 8);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { allows, type Domain, pick } from "../../src/compiler/analysis/packets/bits.js";
import { CONNECTIONS } from "../../src/compiler/analysis/packets/template.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { gateOf } from "../../src/compiler/semantics/gates.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { positionsOf } from "../../src/verify/boundary.js";
import { find } from "../../src/verify/find.js";
import { groundOf } from "../../src/verify/ground.js";
import { tellsApart } from "../../src/verify/observe.js";
import { randomPackets, type TestPacket } from "../../src/verify/packets.js";
import { single } from "../../src/verify/session.js";
import { witnessesOf } from "../../src/verify/witness.js";
import { policyIn, writtenPolicies } from "../support/language-arbitrary.js";

/** What the search for packets says, held against packets that chance found: in the language's own random policies. */

const WIDTH = 8;
const byte = fc.nat(255).map(BigInt);

const domains: fc.Arbitrary<Domain> = fc.record({
  ranges: fc
    .uniqueArray(fc.nat(255), { maxLength: 4 })
    .map((values) => [...values].sort((a, b) => a - b).map(BigInt))
    .map((ends) =>
      ends.flatMap((low, index) => (index % 2 === 0 ? [{ low, high: ends[index + 1] ?? 255n }] : [])),
    ),
  some: fc.array(byte, { maxLength: 2 }),
  none: fc.oneof(fc.constant(0n), byte),
});

test("a number is picked if there is one, and it is one of them", () => {
  fc.assert(
    fc.property(domains, byte, byte, byte, (domain, mask, bits, preferred) => {
      const given = { mask, value: bits & mask };
      const all = Array.from({ length: 1 << WIDTH }, (_, value) => BigInt(value));
      const right = all.filter((value) => allows(domain, value) && (value & mask) === given.value);
      const picked = pick(domain, given, WIDTH, preferred);
      expect(picked === undefined ? right : right.includes(picked)).toEqual(picked === undefined ? [] : true);
    }),
  );
});

const PACKETS = 200;

/** Chance aims at a policy's numbers too, and may ask for a state that no connection has; the search knows that there is none. */
function canBe({ surroundings: { connection } }: TestPacket): boolean {
  return connection === undefined || connection === null || CONNECTIONS.includes(BigInt(connection));
}

function someOf(policy: Policy, seed: number): readonly TestPacket[] {
  const packets: TestPacket[] = [];
  for (const packet of randomPackets(policy, seed)) {
    if (canBe(packet) && packets.push(packet) === PACKETS) break;
  }
  return packets;
}

/** What the kernel drops between the stages the search leaves aside, also where the firewall would drop it early. */
function passesGates({ bytes, surroundings }: TestPacket): boolean {
  const decoded = decode(bytes, undefined, surroundings);
  return decoded.kind === "packet" && gateOf(decoded.packet) === null;
}

/** Rules that some packet reaches and matches, kernel's gates included. */
function rulesMet(policy: Policy, packets: readonly TestPacket[]): ReadonlySet<string> {
  return new Set(
    packets.flatMap(({ bytes, surroundings }) => {
      const { gate, steps } = evaluate(policy, bytes, newState(), 0n, surroundings);
      const seen = steps.filter(({ stage }) => stage === "mitigate" || gate === null);
      return seen.flatMap(({ rule, outcome }) => (outcome === "miss" ? [] : [rule.name]));
    }),
  );
}

test("no rule is called out of reach that chance reaches", () => {
  fc.assert(
    fc.property(writtenPolicies, fc.nat(), (written, seed) => {
      const policy = policyIn(written);
      fc.pre(policy !== undefined);
      const met = rulesMet(policy, someOf(policy, seed));
      const ground = groundOf(policy);
      const unreached = positionsOf(policy).filter(({ rule, position }) => {
        return find(ground, position, [{ expr: rule.match, wanted: true }]) === "none";
      });
      expect(
        unreached.map(({ rule }) => rule.name).filter((name) => met.has(name)),
        written.text,
      ).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

/** Large policies of chance, with hundreds of mutants each. */
const A_WHILE = 600_000;

test("no mutant is called equivalent that chance can tell", { timeout: A_WHILE }, () => {
  fc.assert(
    fc.property(writtenPolicies, fc.nat(), (written, seed) => {
      const policy = policyIn(written);
      fc.pre(policy !== undefined);
      const sessions = someOf(policy, seed)
        .filter(passesGates)
        .map((packet) => single(packet, packet.why));
      const wrong = witnessesOf(policy).equivalent.flatMap(({ what, policy: mutant }) => {
        const session = sessions.find((one) => tellsApart(one, policy, mutant));
        return session ? [`${what}: ${Buffer.from(session.packets[0]?.bytes ?? []).toString("hex")}`] : [];
      });
      expect(wrong, written.text).toEqual([]);
    }),
    { numRuns: 4 },
  );
});

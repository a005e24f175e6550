import { describe, expect, test } from "vitest";
import { evaluateFrame } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";
import {
  byReference,
  CASES,
  packetsOf,
  policyWith,
  questionsOf,
  stagesOf,
} from "../support/field-policies.js";
import { ethernetFrame } from "../support/packet-bytes.js";

/** Every match field and function by the reference; test/kernel/fields.test.ts holds XDP and nftables to it. */
describe("five packets for each field", () => {
  test.each(CASES)("%s", (_, field) => {
    for (const { condition, holds } of questionsOf(field)) {
      for (const stage of stagesOf(field)) {
        const policy = policyWith(condition, stage);
        expect(byReference(policy, packetsOf(field)), `${stage}: ${condition}`).toEqual(holds);
      }
    }
  });
});

test("priority and drop eligibility of a VLAN tag are no part of its id", () => {
  const policy = policyWith("eth.vlan == 7", "mitigate");
  const [udp] = CASES.flatMap(([name, field]) => (name.startsWith("eth.vlan") ? packetsOf(field) : []));
  const frame = ethernetFrame(udp?.bytes ?? new Uint8Array(), [0xf007]);
  expect(evaluateFrame(policy, frame, newState(), 0n).rule).toBe("rule");
});

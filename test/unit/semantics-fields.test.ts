import { describe, expect, test } from "vitest";
import {
  byReference,
  CASES,
  packetsOf,
  policyWith,
  questionsOf,
  stagesOf,
} from "../support/field-policies.js";

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

import { describe, expect, test } from "vitest";
import { boxesOf, boxHas } from "../../src/compiler/analysis/boxes.js";
import { uncovered } from "../../src/compiler/analysis/cover.js";
import { plainShape } from "../../src/compiler/analysis/packets/shape.js";
import { templateOf } from "../../src/compiler/analysis/packets/template.js";
import { valuesOf } from "../../src/compiler/analysis/packets/values.js";
import { possible } from "../../src/compiler/analysis/possible.js";
import { range } from "../../src/compiler/analysis/ranges.js";
import { spaceOf } from "../../src/compiler/analysis/space.js";
import { policyOf } from "../support/policies.js";

/** Where an analysis gives up, or a thing is the smallest of its kind: chance seldom comes there. */

const SCTP = 132;

function policyWith(condition: string) {
  return policyOf(`import { allow, expr, gre, policy } from "tidegate";
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [allow("only", expr\`${condition}\`)] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});`);
}

describe("a conjunction of which one part is too many boxes", () => {
  const { firewall } = policyWith(
    "(tcp.dstport == 80 or udp.dstport == 53 or icmp.type == 8) and ip.ttl > 5",
  );
  const match = firewall.rules[0]?.match;
  const space = spaceOf([firewall.rules]);

  test.each([
    [1, undefined],
    [100, 6],
  ])("with %i boxes at most: %s", (most, boxes) => {
    expect(match && boxesOf(match, space, [], most)?.length).toBe(boxes);
  });
});

test("what the effort does not suffice for is never called covered", () => {
  const [low, high] = [range(0, 7), range(8, 15)];
  // All but one corner; no cell holds all values of a variable, so the region must be split.
  const cells = [
    [low, low],
    [high, low],
    [low, high],
    [range(8, 14), high],
    [range(15, 15), range(8, 14)],
  ];
  const answers = Array.from({ length: 60 }, (_, left) =>
    uncovered([range(0, 15), range(0, 15)], cells, { left }),
  );
  expect(answers).not.toContain("none");
  expect(answers[0]).toBe("tooMuch");
  expect(answers.at(-1)).toEqual([range(15, 15), range(15, 15)]);
});

test.each([1, 2, 10])("IPv4 packets that end behind %i words of options are possible", (optionWords) => {
  const policy = policyWith("ip.opt.type == 7 and ip.hdr_len > 20");
  const space = spaceOf([policy.firewall.rules]);
  const packet = templateOf({ ...plainShape(4, SCTP, 0), optionWords })?.packet;
  if (!packet) throw new Error("there is such a packet");
  const values = valuesOf(packet, space);
  const worlds = possible(space, { prefixes: policy.prefixes, whole: false });
  expect(worlds.some((box) => boxHas(box, values))).toBe(true);
});

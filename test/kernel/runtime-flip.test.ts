import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AcmeEdge, NODE } from "../support/acme-edge.js";
import { A, arrived, B, counting, during, flip } from "../support/two-policies.js";

/**
 * Policies change while traffic is on. Two that disagree on every class of packets take turns: on the verdict, on the stage
 * that drops, or on the tunnel. What comes out of the tunnels shows by which policy each packet was judged.
 */

/** Changes in a row; FLIPS=200 for the long run. */
const FLIPS = Number(process.env["FLIPS"] ?? 8);
const RATE = Number(process.env["FLIP_RATE"] ?? 20_000);

describe.each(["native", "generic"] as const)("with XDP as it is %s", (mode) => {
  let edge: AcmeEdge;

  beforeAll(async () => {
    edge = await AcmeEdge.start({ bridged: mode === "generic" });
    edge.server.run(["nft", "-f", "-"], { namespace: "router", input: counting() });
  });

  afterAll(() => edge?.server.end());

  test.each([
    ["both stateless", false],
    ["one of them stateful", true],
  ])(
    "two policies in turn, %s: each packet is judged by one of them, and none is lost that both allow",
    async (_name, stateful) => {
      const a = edge.bundle("a", A());
      const b = edge.bundle("b", B(stateful));
      await edge.server.apply(a, NODE);
      const { node } = await edge.server.status();
      expect(node.uplinks.map(({ xdp }: { readonly xdp: string }) => xdp)).toEqual([mode, mode]);
      arrived(edge);
      const { sent, result: times } = await during(edge, RATE, () => flip(edge, [b, a], FLIPS));
      await new Promise((resolve) => setTimeout(resolve, 200));
      const { chicago, dallas } = arrived(edge);
      console.log(
        JSON.stringify({ flips: FLIPS, sent, chicago, dallas, times: [...times].sort((x, y) => x - y) }),
      );
      const none = { earlyInA: 0, earlyInB: 0 };
      expect(chicago).toMatchObject({ ...none, onlyB: 0 });
      expect(dallas).toMatchObject({ ...none, onlyA: 0 });
      expect(chicago.both + dallas.both).toBe(sent);
      expect(Math.min(chicago.onlyA, dallas.onlyB, chicago.both, dallas.both)).toBeGreaterThan(0);
    },
  );
});

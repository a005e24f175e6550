import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectionsOf } from "../../src/cli/verify/connections.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { emit } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { kernelDiffers } from "../support/pinned-packets.js";
import { trapsIn } from "../support/set-traps.js";

/** test/traps by XDP and nftables; test/unit/traps.test.ts holds the reference to them. */
let scratch: Scratch;

beforeAll(async () => {
  scratch = await Scratch.start();
});

afterAll(() => scratch?.close());

describe.each(["mitigate", "firewall"] as const)("the kernel, traps in %s", (stage) => {
  test.each(trapsIn(stage))("$name", async (trap) => {
    expect(await kernelDiffers(trap, scratch)).toEqual([]);
  });
});

test("without the guard that tells later fragments apart, nftables reads their bytes as ports", async () => {
  const trap = trapsIn("firewall").find(({ name }) => name.startsWith("bytes of a later fragment"));
  if (!trap) throw new Error("the trap is set");
  const unguarded = (policy: Policy) =>
    emit(policy).map((file) => ({ ...file, text: file.text.replaceAll(/^.* goto later-fragments$/gm, "") }));
  expect(await kernelDiffers(trap, scratch, unguarded)).not.toEqual([]);
});

test.each(trapsIn("firewall").filter(({ policy }) => policy.firewall.stateful))(
  "connection tracking says what the packets' texts do: $name",
  async ({ packets }) => {
    const sent = packets.map(({ packet }) => packet);
    const states = (await connectionsOf(sent)).map(({ surroundings }) => surroundings.connection);
    expect(states).toEqual(sent.map(({ surroundings }) => surroundings.connection));
  },
);

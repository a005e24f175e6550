import { describe, expect, test } from "vitest";
import { judged } from "../support/pinned-packets.js";
import { trapsIn } from "../support/set-traps.js";

describe.each(["mitigate", "firewall"] as const)("traps in %s", (stage) => {
  test.each(trapsIn(stage))("$name", (trap) => {
    expect(judged(trap)).toEqual(trap.packets.map(({ expected }) => expected));
  });
});

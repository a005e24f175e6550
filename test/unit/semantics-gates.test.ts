import { describe, expect, test } from "vitest";
import { decode } from "../../src/compiler/semantics/decode.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { gateOf } from "../../src/compiler/semantics/gates.js";
import { hopByHopProblem } from "../../src/compiler/semantics/hop-by-hop.js";
import { optionProblem } from "../../src/compiler/semantics/ip-options.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { firewall } from "../support/firewall-policies.js";
import { constant, limit, policy, rule } from "../support/ir.js";

function bytesOf(text: string): Uint8Array {
  const parsed = parsePacket(text);
  if (parsed.kind !== "packet") throw new Error(JSON.stringify(parsed.problems));
  return parsed.bytes;
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

const TO = "203.0.113.9:9";
const DYING = `udp 192.0.2.7:1 > ${TO} ttl=1`;

describe("gates", () => {
  test.each([
    [`udp 192.0.2.7:1 > ${TO}`, null],
    [DYING, "forwarding: its time to live ends here"],
    [`udp 0.0.0.0:1 > ${TO}`, "forwarding: its source is the unspecified address"],
    ["udp [::1]:1 > [2001:db8::9]:9", "arrival: its source is the loopback address"],
    ["udp [fe80::1]:1 > [2001:db8::9]:9", "forwarding: its source is a link-local address"],
    ["udp [fec0::1]:1 > [2001:db8::9]:9", null],
  ])("%s: %s", (text, expected) => {
    const decoded = decode(bytesOf(text));
    const gate = decoded.kind === "packet" ? gateOf(decoded.packet) : null;
    expect(gate && `${gate.at}: ${gate.reason}`).toBe(expected);
  });

  test.each([
    ["00ff0000", null],
    ["01010101", null],
    ["99040000", null],
    ["07030400", null],
    ["07ff0401", "an IPv4 option is malformed"],
    ["0703040703040000", "an IPv4 option is malformed"],
    ["440405f0", "an IPv4 option is malformed"],
    ["440405e0", null],
    ["830704cb00710900", "it has a source route"],
    ["8608000000010102", "an IPv4 option is one that the kernel refuses"],
  ])("IPv4 options %s: %s", (options, expected) => {
    expect(optionProblem(hex(options))).toBe(expected);
  });

  test.each([
    ["1100010400000000", null],
    ["1100010400000001", "its hop-by-hop padding is not zero"],
    ["1100010a00000000", "a hop-by-hop option is cut short"],
    ["1100c20400010000", "a hop-by-hop option is one that the kernel refuses"],
    ["1100050200000100", null],
    ["11001e001e001e00", null],
    ["11011e001e001e001e001e001e001e00", null],
    ["11021e001e001e001e001e001e001e001e001e0001020000", "it has more than 8 hop-by-hop options"],
    [
      "1101010400000000010400000000" + "0000",
      "its hop-by-hop options hold more padding than alignment asks for",
    ],
  ])("hop-by-hop header %s: %s", (header, expected) => {
    expect(hopByHopProblem(hex(header))).toBe(expected);
  });
});

describe("a packet that a gate takes", () => {
  const once = rule("once", limit(1, 1, null), constant(true));

  test("has the policy's verdict beside it", () => {
    const trace = evaluate(firewall([rule("all", "reject", constant(true))]), bytesOf(DYING), newState(), 0n);
    expect(trace).toMatchObject({ verdict: "reject", rule: "all", gate: { at: "forwarding" } });
  });

  test("has none if XDP drops it before", () => {
    const trace = evaluate(policy([rule("all", "drop", constant(true))]), bytesOf(DYING), newState(), 0n);
    expect(trace).toMatchObject({ stage: "mitigate", verdict: "drop", gate: null });
  });

  test("takes no allowance in the firewall, which it never sees", () => {
    const state = newState();
    const judge = (text: string) => evaluate(firewall([once]), bytesOf(text), state, 0n).rule;
    expect([DYING, DYING, `udp 192.0.2.7:1 > ${TO}`, `udp 192.0.2.7:1 > ${TO}`].map(judge)).toEqual([
      null,
      null,
      null,
      "once",
    ]);
  });

  test("takes it in XDP, which does see it", () => {
    const state = newState();
    const judge = () => evaluate(policy([once]), bytesOf(DYING), state, 0n).rule;
    expect([judge(), judge()]).toEqual([null, "once"]);
  });
});

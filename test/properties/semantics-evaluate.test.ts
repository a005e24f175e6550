import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Test } from "../../src/compiler/ir/expr.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { evaluate, evaluateFrame, evaluateReturn } from "../../src/compiler/semantics/evaluate.js";
import { readAddress, readNumber } from "../../src/compiler/semantics/fields.js";
import { headerStart } from "../../src/compiler/semantics/headers.js";
import { formatPacket } from "../../src/compiler/semantics/packet-format.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { anyFirewall, anyTest } from "../support/firewall-policies.js";
import { policy } from "../support/ir.js";
import { packetsFor } from "../support/packet-arbitrary.js";

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.uint8Array({ maxLength: 80 }).map((rest) => Uint8Array.from([0x45, ...rest])),
  fc.uint8Array({ maxLength: 120 }).map((rest) => Uint8Array.from([0x60, ...rest])),
  packetsFor(policy([])),
);

describe("the reference", () => {
  test("has a verdict for any bytes", () => {
    fc.assert(
      fc.property(anyFirewall, fc.array(anyBytes, { maxLength: 10 }), (any, packets) => {
        const state = newState();
        for (const bytes of packets) {
          expect(["allow", "drop", "reject", "foreign", "malformed"]).toContain(
            evaluate(any, bytes, state, 0n).verdict,
          );
          expect(["allow", "drop", "reject", "foreign", "malformed"]).toContain(
            evaluateFrame(any, bytes, state, 0n).verdict,
          );
          expect(["passed", "spoofed", "malformed"]).toContain(evaluateReturn(any, bytes));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("padding behind the packet changes nothing", () => {
    fc.assert(
      fc.property(
        anyFirewall,
        packetsFor(policy([])),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        (any, bytes, pad) => {
          const own = decode(bytes);
          fc.pre(own.kind === "packet");
          const padded = Uint8Array.from([...bytes, ...pad]);
          const { steps: _, ...bare } = evaluate(any, bytes, newState(), 0n);
          expect(evaluate(any, padded, newState(), 0n)).toMatchObject(bare);
        },
      ),
    );
  });

  test("a test's needs say exactly when its field is absent", () => {
    fc.assert(
      fc.property(anyTest, packetsFor(policy([])), (expr, bytes) => {
        const decoded = decode(bytes);
        fc.pre(decoded.kind === "packet" && "needs" in expr);
        const { needs } = expr as Test;
        const { packet } = decoded as Extract<typeof decoded, { kind: "packet" }>;
        const { header } = needs;
        const outside = { proto: packet.protocol !== null, vlan: false, ct: true } as const;
        const start =
          header === "proto" || header === "vlan" || header === "ct"
            ? undefined
            : headerStart(packet, header);
        const present =
          header in outside
            ? outside[header as keyof typeof outside]
            : start !== undefined && packet.bytes.length - start >= needs.bytes;
        const value =
          "family" in expr
            ? readAddress(packet, expr.field, expr.family)
            : readNumber(packet, (expr as Extract<Test, { kind: "number" }>).field);
        expect(value !== undefined).toBe(present);
      }),
      { numRuns: 2000 },
    );
  });
});

test("a packet's text means exactly its bytes", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const parsed = parsePacket(formatPacket(bytes));
      expect(parsed.kind === "packet" && Buffer.from(parsed.bytes).equals(bytes)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("any text is a packet or has a problem inside it", () => {
  const word = fc.constantFrom(
    "tcp",
    "udp",
    "icmp6",
    "proto=6",
    ">",
    "10.0.0.1:1",
    "::1",
    "len=9",
    "frag=8+",
    "#",
    "hex=",
    "id=",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join(" ")),
      ),
      (text) => {
        const parsed = parsePacket(text);
        if (parsed.kind === "packet") return;
        expect(parsed.problems.length).toBeGreaterThan(0);
        for (const { start, end } of parsed.problems) {
          expect(0 <= start && start <= end && end <= text.length).toBe(true);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

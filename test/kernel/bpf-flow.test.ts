import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { compileXdp } from "../../src/cli/io/clang.js";
import { emit } from "../../src/compiler/compile.js";
import { emit as emitXdp } from "../../src/targets/xdp/emit.js";
import { codeSections, fallsBackInto } from "../support/bpf-flow.js";
import { policy } from "../support/ir.js";
import { policyFiles, readPolicyFile } from "../support/policies.js";
import { stressRules } from "../support/stress-rules.js";

/** What an older kernel than the one that runs this test refuses: test/support/bpf-flow.ts. */
function expectJumps(object: Buffer): void {
  const sections = codeSections(object);
  expect(sections.length).toBeGreaterThan(0);
  expect(sections.flatMap(fallsBackInto)).toEqual([]);
}

test.each(["root", "gre"])("%s.bpf.o closes its loops with jumps", (name) => {
  expectJumps(readFileSync(join(packageRoot(), `dist/bpf/${name}.bpf.o`)));
});

test.each(policyFiles())("$name's program closes its loops with jumps", ({ file }) => {
  const policy = readPolicyFile(file);
  const program = emit(policy).find(({ path }) => path.endsWith(".bpf.c"));
  expectJumps(Buffer.from(compileXdp(policy.customer, program?.text ?? "")));
});

test.each(["tables", "vectors"] as const)("a program by %s closes its loops with jumps", (form) => {
  const rules = stressRules("all fields", 40).map((one, index) =>
    index % 4 === 0 ? { ...one, action: { kind: "count" } as const } : one,
  );
  const [program] = emitXdp(policy(rules), form);
  expectJumps(Buffer.from(compileXdp("acme", program?.text ?? "")));
});

describe("the check itself", () => {
  /** Opcodes of RFC 9669 with their offset: `r0 = 0`, `if r0 == 0 goto`, `goto`, `exit`. */
  const [MOVE, IF, GOTO, EXIT] = [0xb7, 0x15, 0x05, 0x95];
  const code = (...instructions: readonly (readonly [number, number])[]): Buffer =>
    Buffer.concat(
      instructions.map(([opcode, offset]) => {
        const bytes = Buffer.alloc(8, 0);
        bytes.writeUInt8(opcode, 0);
        bytes.writeInt16LE(offset, 2);
        return bytes;
      }),
    );

  test.each([
    ["no loop", code([MOVE, 0], [IF, 1], [MOVE, 0], [EXIT, 0]), []],
    ["a loop closed by a jump", code([MOVE, 0], [IF, -2], [EXIT, 0]), []],
    ["a loop closed by falling into its head", code([GOTO, 1], [MOVE, 0], [IF, -2], [EXIT, 0]), [1]],
  ])("%s", (_name, bytes, expected) => expect(fallsBackInto(bytes)).toEqual(expected));
});

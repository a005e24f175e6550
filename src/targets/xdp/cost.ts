import { assertNever } from "../../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS } from "../../compiler/ir/address.js";
import type { Expr } from "../../compiler/ir/expr.js";
import { NUMBER_FIELDS } from "../../compiler/ir/fields.js";
import type { Rule } from "../../compiler/ir/policy.js";
import { comparisonsOf } from "./ranges.js";

/**
 * What one program can hold. The verifier's work is linear in the program (see tg_packet() in tidegate.h), so what
 * ends first are the 16 bits of a jump's distance: on Linux 6.18 a program of 22,600 instructions (900 mixed rules)
 * is loaded in 0.7 s, and one of 25,000 (1,000 rules) refused. This number is for about 600 mixed rules, 1,500
 * IPv6 ranges or 4,900 port ranges, and all of these stay below the verifier's 8,192 pending branches
 * (BPF_COMPLEXITY_LIMIT_JMP_SEQ).
 */
export const MAX_INSTRUCTIONS = 20_000;

/**
 * Maps that a policy may add: one for each limit, and for each family of a list. MAX_USED_MAPS in
 * linux/bpf_verifier.h, less `packet`, `counters` and the tests' clock.
 */
export const MAX_MAPS = 64 - 3;

/** Upper bounds of what clang 14 makes of one piece; the tests hold them against real objects. */
const COST = {
  program: 48,
  /** Index and verdict of the rule, and the jump to where they are counted. */
  rule: 6,
  guard: 2,
  range: 4,
  range6: 13,
  bits: 3,
  list: 36,
  opaque: 12,
  limit: 180,
} as const;

export const PROGRAM_COST = COST.program;

/** At most how many BPF instructions the rule becomes. */
export function instructions(rule: Rule): number {
  return COST.rule + ofExpr(rule.match) + (rule.action.kind === "limit" ? COST.limit : 0);
}

function ofExpr(expr: Expr): number {
  switch (expr.kind) {
    case "const":
      return 1;
    case "not":
      return ofExpr(expr.operand);
    case "and":
    case "or":
      return ofAll(expr.operands);
    case "xor":
      return ofAll(expr.operands) + COST.opaque * expr.operands.length;
    case "address":
      return (
        COST.guard +
        comparisonsOf(expr.ranges, ADDRESS_BITS[expr.family]) * (expr.family === 4 ? COST.range : COST.range6)
      );
    case "number":
      return COST.guard + comparisonsOf(expr.ranges, 8 * NUMBER_FIELDS[expr.field].width) * COST.range;
    case "bits":
      return COST.guard + COST.bits;
    case "list":
      return COST.guard + COST.list;
    default:
      return assertNever(expr);
  }
}

function ofAll(operands: readonly Expr[]): number {
  return operands.reduce((sum, operand) => sum + ofExpr(operand), 0);
}

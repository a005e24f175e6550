import type { Question } from "../../compiler/analysis/classify/question.js";
import { assertNever } from "../../compiler/diagnostics/invariant.js";
import { ADDRESS_BITS } from "../../compiler/ir/address.js";
import type { Expr } from "../../compiler/ir/expr.js";
import { type Action, forwardsInXdp, type Policy, type Rule } from "../../compiler/ir/policy.js";
import type { WireField } from "../../compiler/ir/wire.js";
import { type Asked, bytesRead, soughtHeaders } from "./places.js";
import { comparisonsOf } from "./ranges.js";

/**
 * What one program can hold, by the upper bounds below. The verifier's work is linear in the program (see
 * tg_packet() in tidegate.h); what ends first are its 8,192 pending branches (BPF_COMPLEXITY_LIMIT_JMP_SEQ) and the 16
 * bits of a jump's distance, which must hold after the kernel has put map lookups in line, too. Measured on Linux
 * 6.18: 1,300 rules of three tests each (reckoned 37,000, really 22,400) are loaded in 0.2 s; 8,600 port ranges and
 * 3,000 IPv6 ranges are refused. This number allows 550 to 800 rules of three tests, 3,000 of one flag, 4,700 port ranges
 * or 1,400 IPv6 ranges, and test/kernel loads the largest policies of each kind.
 */
export const MAX_INSTRUCTIONS = 24_000;

/** MAX_USED_MAPS in linux/bpf_verifier.h, less `packet`, `watchers`, `counters` and the tests' clock. */
export const MAX_MAPS = 64 - 4;

/** `tunnels`, `hops`, `arrivals` and `uplinks` (bpf-templates/forward.h). */
const FORWARDING_MAPS = 4;

/** How many maps a policy may add: one for each limit, and for each family of a list. */
export function mostMaps(policy: Policy): number {
  return forwardsInXdp(policy) ? MAX_MAPS - FORWARDING_MAPS : MAX_MAPS;
}

/** Upper bounds of what clang 14 makes of one piece; the tests hold them against real objects. */
const COST = {
  program: 40,
  /** The second stage and its count. */
  early: 40,
  /** Index and verdict of the rule, and the jump to where they are counted. */
  rule: 3,
  guard: 2,
  range: 5,
  range6: 17,
  bits: 3,
  list: 32,
  opaque: 9,
  /** One read of the frame, and each byte that it takes from it. */
  read: 14,
  byte: 3,
  /** tg_find_…(), once a program. */
  sought: { ip4_option: 50, tcp_payload: 50, tcp_mss: 1200, gre_key: 60 },
  class: 30,
  tree: 200,
  limit: 170,
  count: 25,
} as const;

/** At most how many BPF instructions a program with the conditions has besides them. */
export function programCost(asked: readonly Asked[]): number {
  return soughtHeaders(asked).reduce<number>((sum, header) => sum + COST.sought[header], COST.program);
}

/** At most how many BPF instructions the rule becomes. */
export function instructions(rule: Rule): number {
  return questionCost(rule) + ofAction(rule.action);
}

/** At most how many BPF instructions the questions of the early step become. */
export function earlyCost(questions: readonly Asked[]): number {
  return questions.reduce<number>((sum, question) => sum + questionCost(question), COST.early);
}

/** At most how many it takes to find the class of an answer (of a word: a tree of seven nodes), and the state behind it. */
export function answerCost(question: Question): number {
  if (question.kind === "condition") return COST.class + ofExpr(question.match);
  return (question.bits > 16 ? COST.tree : COST.class) + COST.guard + ofRead(question.field);
}

function questionCost({ match }: Asked): number {
  return COST.rule + ofExpr(match);
}

/** A verdict is counted in one place for all rules. */
function ofAction({ kind }: Action): number {
  return kind === "limit" || kind === "count" ? COST[kind] : 0;
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
      // Long ones are grouped, and a group is an operand too: see parity() in condition.ts.
      return ofAll(expr.operands) + COST.opaque * Math.ceil((expr.operands.length * 16) / 15);
    case "address":
      return (
        COST.guard +
        comparisonsOf(expr.ranges, ADDRESS_BITS[expr.family]) * (expr.family === 4 ? COST.range : COST.range6)
      );
    case "number":
      return COST.guard + ofRead(expr.field) + comparisonsOf(expr.ranges, expr.field.width) * COST.range;
    case "bits":
      return COST.guard + ofRead(expr.field) + COST.bits;
    case "list":
      return COST.guard + COST.list;
    default:
      return assertNever(expr);
  }
}

function ofRead(field: WireField): number {
  const bytes = bytesRead(field);
  return bytes === 0 ? 0 : COST.read + bytes * COST.byte;
}

function ofAll(operands: readonly Expr[]): number {
  return operands.reduce((sum, operand) => sum + ofExpr(operand), 0);
}

import { assertNever } from "../../compiler/diagnostics/invariant.js";
import type { Expr } from "../../compiler/ir/expr.js";
import { alternativesOf } from "./alternatives.js";
import { type Condition, contradict, type Part, sameCondition } from "./condition.js";

/**
 * An expression as nft can run it: lines that are tried in order. The first whose conditions all hold gives the
 * answer; after the last comes `otherwise`. Conditions are never negated, because nft's `!=` is not the complement of
 * `==` on an absent field: `not tcp.dstport == 80` becomes the line "tcp dport 80 → no", otherwise yes.
 */
export interface Decisions {
  readonly lines: readonly Decision[];
  readonly otherwise: boolean;
}

export interface Decision {
  readonly conditions: readonly Condition[];
  readonly holds: boolean;
}

/**
 * More lines than this, needless ones included, are refused (check.ts). Only an `and` or `xor` of alternatives multiplies
 * them; a set says most of that in one line.
 */
export const MAX_LINES = 512;

/** The decisions that hold exactly for the packets that `expr` holds for; undefined when they are too many. */
export function decisionsOf(expr: Expr, part: Part): Decisions | undefined {
  switch (expr.kind) {
    case "const":
      return expr.value ? ALWAYS : NEVER;
    case "not": {
      const operand = decisionsOf(expr.operand, part);
      return operand && opposite(operand);
    }
    case "and":
      return combine(expr.operands, part, ALWAYS, (one, rest) => choose(one, rest, NEVER));
    case "or":
      return combine(expr.operands, part, NEVER, (one, rest) => choose(one, ALWAYS, rest));
    case "xor":
      return combine(expr.operands, part, NEVER, (one, rest) => choose(one, opposite(rest), rest));
    case "address":
    case "list":
    case "number":
    case "bits": {
      const lines = alternativesOf(expr, part).map((conditions) => ({ conditions, holds: true }));
      return { lines, otherwise: false };
    }
    default:
      return assertNever(expr);
  }
}

const ALWAYS: Decisions = { lines: [], otherwise: true };
const NEVER: Decisions = { lines: [], otherwise: false };

function opposite({ lines, otherwise }: Decisions): Decisions {
  return { lines: lines.map((line) => ({ ...line, holds: !line.holds })), otherwise: !otherwise };
}

function combine(
  operands: readonly Expr[],
  part: Part,
  neutral: Decisions,
  join: (one: Decisions, rest: Decisions) => Decisions | undefined,
): Decisions | undefined {
  let rest: Decisions | undefined = neutral;
  for (const operand of operands.toReversed()) {
    const one = decisionsOf(operand, part);
    rest = one && rest && join(one, rest);
  }
  return rest && prune(rest);
}

/** `question ? yes : no`; undefined when it takes more than MAX_LINES lines. */
function choose(question: Decisions, yes: Decisions, no: Decisions): Decisions | undefined {
  const answer = (holds: boolean) => (holds ? yes : no);
  const lines: Decision[] = [];
  for (const { conditions, holds } of question.lines) {
    const { lines: inner, otherwise } = answer(holds);
    for (const line of [...inner, { conditions: [], holds: otherwise }]) {
      const all = union(conditions, line.conditions);
      if (!contradict(all)) lines.push({ conditions: all, holds: line.holds });
    }
    if (lines.length > MAX_LINES) return undefined;
  }
  const last = answer(question.otherwise);
  lines.push(...last.lines);
  return lines.length > MAX_LINES ? undefined : { lines, otherwise: last.otherwise };
}

/** Takes out the lines without which every packet gets the same answer. */
function prune({ lines, otherwise }: Decisions): Decisions {
  const kept: Decision[] = [];
  for (const [index, line] of lines.entries()) {
    const taken = (conditions: readonly Condition[]) =>
      kept.some((earlier) => includes(conditions, earlier.conditions));
    // What falls through this line must not be caught by a later one that answers differently.
    const fallsThrough = () =>
      lines.slice(index + 1).every((later) => {
        if (later.holds === otherwise) return true;
        const both = union(line.conditions, later.conditions);
        return contradict(both) || taken(both);
      });
    const needless = taken(line.conditions) || (line.holds === otherwise && fallsThrough());
    if (!needless) kept.push(line);
  }
  return { lines: kept, otherwise };
}

function union(a: readonly Condition[], b: readonly Condition[]): readonly Condition[] {
  return [...a, ...b.filter((one) => !has(a, one))];
}

function includes(all: readonly Condition[], some: readonly Condition[]): boolean {
  return some.every((one) => has(all, one));
}

function has(conditions: readonly Condition[], one: Condition): boolean {
  return conditions.some((condition) => sameCondition(condition, one));
}

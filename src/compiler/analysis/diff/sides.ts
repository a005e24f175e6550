import { invariant } from "../../diagnostics/invariant.js";
import type { Expr } from "../../ir/expr.js";
import { isTerminal, type Policy, type Rule, type Stage } from "../../ir/policy.js";
import { ANYTHING, type Box, boxesOf } from "../boxes.js";
import { type Space, spaceOf } from "../space.js";
import { type Alignment, align, isChanged, type Pair, sameExpr, sameLists } from "./alignment.js";
import { type Piece, type Placed, pieceOf } from "./pieces.js";
import { destinations, fragments } from "./treatment.js";

/** Two policies side by side. */
export interface Sides {
  readonly before: Policy;
  readonly after: Policy;
  readonly space: Space;
  /** Rules that end their stage or limit; of one that both policies have, one pair. */
  readonly pairs: Readonly<Record<Stage, readonly Pair[]>>;
  /** All that may differ. */
  readonly whole: Piece;
}

/** A rule of more boxes is not looked up by them: it has to do with everything. */
const MANY_BOXES = 64;
/** Rules are not held against each of more places. */
const MANY_PLACES = 2048;

export function sidesOf(before: Policy, after: Policy): Sides {
  const sameList = sameLists(before.lists, after.lists);
  const mitigate = align(judging(before.mitigate), judging(after.mitigate), sameList);
  const firewall = align(judging(before.firewall.rules), judging(after.firewall.rules), sameList);
  const around = changesAround(before, after);
  const isStateful = before.firewall.stateful || after.firewall.stateful;
  const known = [destinations(before, before.prefixes), ...(isStateful ? [fragments(before)] : [])];
  const space = spaceOf([
    [...mitigate.pairs, ...firewall.pairs].map(anyOf),
    [...around, ...known].map((match) => ruleOf(match)),
  ]);
  const early = placed(mitigate, { before, after, space });
  const late = placed(firewall, { before, after, space });
  const wanted = [
    ...early.changed,
    ...late.changed,
    ...around.flatMap((expr) => boxesOf(expr, space, [], MANY_PLACES) ?? [ANYTHING]),
  ];
  const whole = pieceOf({
    box: ANYTHING,
    wanted: wanted.length > MANY_PLACES ? [ANYTHING] : wanted,
    before: { mitigate: early.before, firewall: late.before },
    after: { mitigate: early.after, firewall: late.after },
  });
  return { before, after, space, pairs: { mitigate: mitigate.pairs, firewall: firewall.pairs }, whole };
}

/** The others let every packet go on as it is. */
function judging(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter((rule) => isTerminal(rule) || rule.action.kind === "limit");
}

function anyOf({ before, after }: Pair): Rule {
  const rule = before ?? after;
  invariant(rule, "a pair has a rule");
  return rule;
}

/** For the space, which is that of rules. */
function ruleOf(match: Expr): Rule {
  return { name: "", action: { kind: "count" }, match, span: match.span };
}

/** Where packets may be treated differently for other reasons than rules. */
function changesAround(before: Policy, after: Policy): readonly Expr[] {
  const { span } = after;
  const everything: Expr = { kind: "const", value: true, span };
  const owned = [destinations(before, before.prefixes), destinations(after, after.prefixes)] as const;
  const routed = [destinations(before, before.routes), destinations(after, after.routes)] as const;
  const isTracked = before.firewall.stateful !== after.firewall.stateful;
  const either = [owned, routed].filter(([a, b]) => !sameExpr(a, b, () => true));
  return [
    ...(before.firewall.default === after.firewall.default ? [] : [everything]),
    ...(isTracked ? [fragments(after)] : []),
    ...either.map((operands): Expr => ({ kind: "xor", operands, span })),
  ];
}

interface PlacedStage {
  readonly before: readonly Placed[];
  readonly after: readonly Placed[];
  /** Where rules match that have no equal partner. */
  readonly changed: readonly Box[];
}

function placed(
  { pairs, before, after }: Alignment,
  sides: Pick<Sides, "before" | "after" | "space">,
): PlacedStage {
  const boxes = pairs.map((pair) => {
    const { lists } = pair.before ? sides.before : sides.after;
    return boxesOf(anyOf(pair).match, sides.space, lists, MANY_BOXES) ?? [ANYTHING];
  });
  const side = (numbers: readonly number[], which: "before" | "after") =>
    numbers.flatMap((pair): readonly Placed[] => {
      const rule = pairs[pair]?.[which];
      return rule ? [{ rule, pair, boxes: boxes[pair] ?? [] }] : [];
    });
  const changed = pairs.flatMap((pair, number) => (isChanged(pair) ? (boxes[number] ?? []) : []));
  return { before: side(before, "before"), after: side(after, "after"), changed };
}

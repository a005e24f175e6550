import { invariant } from "../diagnostics/invariant.js";
import type { Expr } from "../ir/expr.js";
import { type AddressList, isTerminal, type Rule } from "../ir/policy.js";
import { boxesOf } from "./boxes.js";
import type { Diagram } from "./diagram.js";
import { always, answerOf, NO, type Ref, YES } from "./ref.js";

/** What a packet meets in a stage: all rules that match it, by their numbers, up to the first that ends the stage. */
export interface Reached {
  readonly rules: readonly number[];
  /** The last one ends the stage; else the stage's default does. */
  readonly ended: boolean;
}

/** The rules of a stage as one function of the packet. */
export interface FirstMatch {
  readonly root: Ref;
  /** What an answer of `root` means. */
  readonly reached: (answer: number) => Reached;
}

/** For packets of `where`, and nothing elsewhere. `root` is TOO_LARGE where the diagram's budget does not suffice. */
export function firstMatchOf(
  diagram: Diagram,
  rules: readonly Rule[],
  lists: readonly AddressList[],
  where: Ref = YES,
): FirstMatch {
  const sequences = new Sequences();
  const behind = diagram.operation((a, b) => sequences.behind(a, b));
  const each = rules.map((rule, index) => {
    const reached = { rules: [index], ended: isTerminal(rule) };
    const matched = diagram.intersection(diagramOf(diagram, rule.match, lists), where);
    return diagram.within(always(sequences.number(reached)), matched);
  });
  return { root: diagram.fold(each, behind, NO), reached: (answer) => sequences.at(answer) };
}

/** What packets can meet, each once. Number 0 is to meet nothing. */
class Sequences {
  readonly #all: Reached[] = [];
  readonly #numbers = new Map<string, number>();

  constructor() {
    this.number({ rules: [], ended: false });
  }

  at(number: number): Reached {
    const reached = this.#all[number];
    invariant(reached, "an answer is the number of a sequence");
    return reached;
  }

  number(reached: Reached): number {
    const key = `${reached.rules.join()}${reached.ended ? "." : ""}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#all.length);
    return this.#all.push(reached) - 1;
  }

  /** What is met first, and then, unless it ends the stage, the rest. */
  behind(first: Ref, rest: Ref): Ref | null {
    if (first === NO) return rest;
    if (rest === NO) return first;
    const [a, b] = [answerOf(first), answerOf(rest)];
    if (a === undefined) return null;
    const start = this.at(a);
    if (start.ended) return first;
    if (b === undefined) return null;
    const end = this.at(b);
    return always(this.number({ rules: [...start.rules, ...end.rules], ended: end.ended }));
  }
}

/** Above this many boxes, a condition becomes a diagram test by test. */
const MANY_BOXES = 4096;

/** Yes where the expression holds. */
export function diagramOf(diagram: Diagram, expr: Expr, lists: readonly AddressList[]): Ref {
  const boxes = boxesOf(expr, diagram.space, lists, MANY_BOXES);
  if (boxes) return diagram.ofBoxes(boxes);
  const of = (one: Expr) => diagramOf(diagram, one, lists);
  switch (expr.kind) {
    case "not":
      return diagram.complement(of(expr.operand));
    case "and":
      return expr.operands.map(of).reduce((a, b) => diagram.intersection(a, b), YES);
    case "or":
      return expr.operands.map(of).reduce((a, b) => diagram.union(a, b), NO);
    case "xor":
      return expr.operands
        .map(of)
        .reduce((a, b) => diagram.union(diagram.difference(a, b), diagram.difference(b, a)), NO);
    case "const":
      return expr.value ? YES : NO;
    default:
      return diagram.ofBoxes(boxesOf(expr, diagram.space, lists, Number.POSITIVE_INFINITY) ?? []);
  }
}

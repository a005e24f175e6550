import type { AddressList, Rule, Verdict } from "../ir/policy.js";
import { type Box, boxesOf } from "./boxes.js";
import { type Cell, CellIndex } from "./cell-index.js";
import { type Effort, uncovered } from "./cover.js";
import { isTerminal } from "./first-match.js";
import { boxOfRegion, common, everywhere, type Region, regionHolds, regionOf } from "./region.js";
import type { Space } from "./space.js";
import { freePoint } from "./walk.js";

/** Rules that take packets before another one, by their numbers; the first few. */
export interface Takers {
  readonly rules: readonly number[];
  /** There are no others. */
  readonly all: boolean;
}

/**
 * What is odd about a stage's rules. `rule` is a number in the stage; `witness` holds packets that show it.
 *
 * - `neverMatches`: no packet matches the rule.
 * - `shadowed`: each packet that matches it has met one of `by` before; the witness has met the first of them.
 * - `redundant`: some packets get to it, but without it the same would become of them, and nothing else would count them.
 * - `partlyShadowed`: `by`, of which each would do the opposite, take some of its packets, and have others of their own.
 * - `unreachableDefault`: rules decide all packets.
 */
export type Finding =
  | { readonly kind: "neverMatches"; readonly rule: number }
  | {
      readonly kind: "shadowed" | "partlyShadowed";
      readonly rule: number;
      readonly by: Takers;
      readonly witness: Box;
    }
  | { readonly kind: "redundant"; readonly rule: number; readonly witness: Box }
  | { readonly kind: "unreachableDefault" };

export interface Findings {
  readonly findings: readonly Finding[];
  /** Rules of which it could not be told within the effort, or whose conditions are too many boxes. Usually none. */
  readonly undecided: readonly number[];
}

/** A stage as these analyses see it. */
export interface Stage {
  readonly rules: readonly Rule[];
  readonly byDefault: Verdict;
  readonly lists: readonly AddressList[];
  readonly space: Space;
  /** What packets can be: see possible.ts. */
  readonly world: readonly Box[];
}

/** Above this many boxes, a rule is not looked at. */
const MANY_BOXES = 1024;
const MOST_TAKERS = 16;
/** Counted, not timed: the same rules have the same findings on every machine. */
const EFFORT = 30_000_000;

/** All findings, in the order of the rules. */
export function findingsOf(stage: Stage): Findings {
  const ground = new Ground(stage);
  const findings: Finding[] = [];
  const undecided: number[] = [];
  stage.rules.forEach((_, rule) => {
    const found = ground.judge(rule);
    if (found === "undecided") undecided.push(rule);
    else findings.push(...found);
  });
  if (ground.defaultIsUnreachable()) findings.push({ kind: "unreachableDefault" });
  return { findings, undecided };
}

/** A part of what a rule matches that is free of others, that others hold, or of which it is not known. */
type Free = { readonly region: Region } | "none" | "tooMuch";

class Ground {
  readonly #everything: Region;
  readonly #world: readonly Region[];
  /** By rule; undefined: too many. */
  readonly #cells: readonly (readonly Cell[] | undefined)[];
  readonly #terminals: CellIndex;
  readonly #all: CellIndex;
  readonly #effort: Effort = { left: EFFORT };
  /** The first rule whose boxes are not known. */
  readonly #opaque: number;

  constructor(private readonly stage: Stage) {
    const { rules, space, lists, world } = stage;
    this.#everything = everywhere(space);
    this.#world = world.map((box) => regionOf(box, this.#everything));
    this.#cells = rules.map(({ match }, rule) =>
      boxesOf(match, space, lists, MANY_BOXES)?.map((box) => ({
        rule,
        region: regionOf(box, this.#everything),
      })),
    );
    const known = this.#cells.flatMap((cells) => cells ?? []);
    const opaque = this.#cells.indexOf(undefined);
    this.#opaque = opaque < 0 ? rules.length : opaque;
    this.#all = new CellIndex(known, space.variables.length);
    this.#terminals = new CellIndex(
      known.filter(({ rule }) => isTerminal(rules[rule] as Rule)),
      space.variables.length,
    );
  }

  judge(rule: number): readonly Finding[] | "undecided" {
    const parts = this.#partsOf(rule);
    if (!parts) return "undecided";
    if (parts.length === 0) return [{ kind: "neverMatches", rule }];
    const free = this.#anyFree(parts, (part) => this.#freeOf(part, 0, rule, () => true));
    if (free === "tooMuch") return "undecided";
    if (free === "none") return [this.#shadowed(rule, parts)];
    const redundant = this.#redundant(rule, parts, free.region);
    return [...redundant, ...this.#partlyShadowed(rule, parts)];
  }

  defaultIsUnreachable(): boolean {
    const { length } = this.stage.rules;
    return this.#anyFree(this.#world, (part) => this.#freeOf(part, 0, length, () => true)) === "none";
  }

  /** What the rule matches, as far as it can be. */
  #partsOf(rule: number): readonly Region[] | undefined {
    return this.#cells[rule]?.flatMap(({ region }) =>
      this.#world.flatMap((world) => {
        const part = common(region, world);
        return part ? [part] : [];
      }),
    );
  }

  #anyFree(parts: readonly Region[], freeOf: (part: Region) => Free): Free {
    let answer: "none" | "tooMuch" = "none";
    for (const part of parts) {
      const free = freeOf(part);
      if (typeof free === "object") return free;
      if (free === "tooMuch") answer = free;
    }
    return answer;
  }

  /** Something of the region that no terminal rule from `from` to before `end` takes, of those that `counts`. */
  #freeOf(region: Region, from: number, end: number, counts: (rule: number) => boolean): Free {
    const taker = (point: Uint32Array): Cell | undefined => {
      for (let next = from; ; ) {
        const cell = this.#terminals.firstAt(point, next, end);
        if (!cell || counts(cell.rule)) return cell;
        next = cell.rule + 1;
      }
    };
    const walked = freePoint(region, taker, end);
    if (walked && "holder" in walked) return "none";
    if (walked) return { region: Array.from(walked.point, (value) => Uint32Array.of(value, value)) };
    const cells = this.#terminals.meeting(region, from, end).filter(({ rule }) => counts(rule));
    const free = uncovered(
      region,
      cells.map((cell) => cell.region),
      this.#effort,
    );
    return typeof free === "string" ? free : { region: free };
  }

  #shadowed(rule: number, parts: readonly Region[]): Finding {
    const { takers, witness } = this.#takersOf(parts, rule, () => true);
    return { kind: "shadowed", rule, by: takers, witness: this.#box(witness ?? (parts[0] as Region)) };
  }

  /** Of the rules before `rule` that count, those that take something of the parts. */
  #takersOf(
    parts: readonly Region[],
    rule: number,
    counts: (cell: Cell) => boolean,
  ): { readonly takers: Takers; readonly witness: Region | undefined } {
    const found = new Map<number, Region>();
    const tried = new Set<Cell>();
    for (const part of parts) {
      for (const cell of this.#terminals.meeting(part, 0, rule)) {
        if (found.has(cell.rule) || !counts(cell)) continue;
        tried.add(cell);
        if (found.size > MOST_TAKERS) break;
        const shared = common(part, cell.region);
        const free = shared && this.#freeOf(shared, 0, cell.rule, () => true);
        if (typeof free === "object") found.set(cell.rule, free.region);
      }
    }
    const rules = [...found.keys()].sort((a, b) => a - b);
    const [first] = rules;
    return {
      takers: { rules: rules.slice(0, MOST_TAKERS), all: rules.length <= MOST_TAKERS },
      witness: first === undefined ? undefined : found.get(first),
    };
  }

  /** `free` is something that gets to the rule. */
  #redundant(rule: number, parts: readonly Region[], free: Region): readonly Finding[] {
    const verdict = this.#verdict(rule);
    if (verdict === null) return [];
    const { rules, byDefault } = this.stage;
    // What is behind the first rule that is not known might do something else.
    if (this.#opaque > rule && this.#opaque < rules.length) return [];
    const changes = byDefault === verdict ? [] : parts.map((region) => ({ region, end: rules.length }));
    for (const part of parts) {
      for (const cell of this.#differing(part, rule, verdict)) {
        const region = common(part, cell.region);
        if (region) changes.push({ region, end: cell.rule });
      }
    }
    const same = (other: number) => other < rule || (other > rule && this.#verdict(other) === verdict);
    for (const { region, end } of changes) {
      if (this.#freeOf(region, 0, end, same) !== "none") return [];
    }
    return [{ kind: "redundant", rule, witness: this.#box(free) }];
  }

  /** The cells behind the rule that do something else with packets of the part, or only count them. */
  #differing(part: Region, rule: number, verdict: Verdict): readonly Cell[] {
    return this.#all
      .meeting(part, rule + 1, this.stage.rules.length)
      .filter((cell) => this.#verdict(cell.rule) !== verdict);
  }

  #partlyShadowed(rule: number, parts: readonly Region[]): readonly Finding[] {
    const verdict = this.#verdict(rule);
    if (verdict === null) return [];
    const own = this.#cells[rule] ?? [];
    const crosses = (cell: Cell) => {
      const other = this.#verdict(cell.rule);
      const isOpposite = other !== null && (other === "allow") !== (verdict === "allow");
      return (
        isOpposite && cell.rule < this.#opaque && !own.some(({ region }) => regionHolds(region, cell.region))
      );
    };
    const { takers, witness } = this.#takersOf(parts, rule, crosses);
    if (!witness) return [];
    return [{ kind: "partlyShadowed", rule, by: takers, witness: this.#box(witness) }];
  }

  /** null: packets go on to the next rule, as under a limit. */
  #verdict(rule: number): Verdict | null {
    const action = this.stage.rules[rule]?.action;
    if (!action || action.kind === "limit" || action.kind === "count" || action.kind === "log") return null;
    return action.kind;
  }

  #box(region: Region): Box {
    return boxOfRegion(region, this.#everything);
  }
}

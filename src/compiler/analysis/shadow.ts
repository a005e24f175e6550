import { invariant } from "../diagnostics/invariant.js";
import { type AddressList, isTerminal, type Rule, type Verdict } from "../ir/policy.js";
import { type Box, boxesOf } from "./boxes.js";
import { type Cell, CellIndex } from "./cell-index.js";
import { type Effort, uncovered } from "./cover.js";
import { has, type Ranges, range, subtract } from "./ranges.js";
import {
  boxOfRegion,
  common,
  everywhere,
  type Region,
  regionHas,
  regionHolds,
  regionOf,
  regionsMeet,
} from "./region.js";
import type { Space } from "./space.js";
import { freePoint } from "./walk.js";

/** Rules that take packets before another one, by their numbers: all of them, or a few. */
export interface Takers {
  readonly rules: readonly number[];
  /** There are no others. */
  readonly all: boolean;
}

/**
 * What is odd about a stage's rules; `rule` is a number in the stage.
 *
 * - `neverMatches`: no packet matches the rule.
 * - `shadowed`: each packet that matches it has met one of `by` before; the witness has met the first of them.
 * - `redundant`: some packets get to it, but without it the same would become of them, and nothing else would count them.
 * - `partlyShadowed`: `by`, of which each would do the opposite, take some of its packets, and match others; the witness is the
 *   first one's.
 * - `unreachableDefault`: rules decide all packets.
 */
export type Finding =
  | { readonly kind: "neverMatches"; readonly rule: number }
  | {
      readonly kind: "shadowed" | "partlyShadowed";
      readonly rule: number;
      readonly by: () => Takers;
      readonly witness: Witness;
    }
  | { readonly kind: "redundant"; readonly rule: number; readonly witness: Witness }
  | { readonly kind: "unreachableDefault" };

/** Packets that show it, all alike to all rules; made when it is asked for. */
export type Witness = () => Box;

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

/** Above this many boxes, a rule is not looked at; where rules before it were of many, above as many as any rule may have. */
const MOST_BOXES = 16_384;
const MANY_BOXES = 1024;
/** Of all rules together. */
const MOST_OF_ALL = 4 * MOST_BOXES;
const MOST_TAKERS = 8;
/** So many packets are tried before all of them are considered. */
const MOST_TRIES = 64;
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

/** Rules that take packets of another one, each with some of what it takes. */
type Taken = ReadonlyMap<number, Region>;

/** One of the world's boxes, and the first two rules that take all that is in it. */
interface World {
  readonly region: Region;
  readonly holders: readonly number[];
}

/** What a rule matches of one of the world's boxes. */
interface Part {
  readonly region: Region;
  /** The first of the other rules that takes all that is in the world's box, and so all that gets there; null: there is none. */
  readonly last: number | null;
}

class Ground {
  readonly #everything: Region;
  readonly #world: readonly World[];
  /** By rule; undefined: too many. */
  readonly #cells: readonly (readonly Cell[] | undefined)[];
  readonly #parts: (readonly Part[] | undefined)[] = [];
  readonly #terminals: CellIndex;
  readonly #all: CellIndex;
  readonly #effort: Effort = { left: EFFORT };
  /** The first rule whose boxes are not known. */
  readonly #opaque: number;

  constructor(private readonly stage: Stage) {
    const { rules, space, lists, world } = stage;
    this.#everything = everywhere(space);
    let room = MOST_OF_ALL;
    this.#cells = rules.map(({ match }, rule) => {
      const most = Math.min(MOST_BOXES, Math.max(MANY_BOXES, room));
      const boxes = boxesOf(match, space, lists, most);
      room -= boxes?.length ?? most;
      return boxes?.map((box) => ({ rule, region: regionOf(box, this.#everything) }));
    });
    const known = this.#cells.flatMap((cells) => cells ?? []);
    const opaque = this.#cells.indexOf(undefined);
    this.#opaque = opaque < 0 ? rules.length : opaque;
    const indexOf = (wanted: (rule: Rule) => boolean) =>
      new CellIndex(
        known.filter(({ rule }) => wanted(rules[rule] as Rule)),
        space.variables.length,
      );
    this.#all = indexOf(() => true);
    this.#terminals = indexOf(isTerminal);
    this.#world = world.map((box) => {
      const region = regionOf(box, this.#everything);
      const holders = this.#terminals
        .meeting(region, 0, rules.length)
        .filter((cell) => regionHolds(cell.region, region));
      return { region, holders: [...new Set(holders.map(({ rule }) => rule))].slice(0, 2) };
    });
  }

  judge(rule: number): readonly Finding[] | "undecided" {
    const parts = this.#partsOf(rule);
    if (!parts) return "undecided";
    if (parts.length === 0) return [{ kind: "neverMatches", rule }];
    const free = this.#anyFree(parts, (region) => this.#freeOf(region, 0, rule, () => true));
    if (free === "tooMuch") return "undecided";
    if (free === "none") return [this.#shadowed(rule, parts)];
    const redundant = this.#redundant(rule, parts, free.region);
    return [...redundant, ...this.#partlyShadowed(rule, parts)];
  }

  defaultIsUnreachable(): boolean {
    const { length } = this.stage.rules;
    const open = this.#world.filter(({ holders }) => holders.length === 0);
    return this.#anyFree(open, (region) => this.#freeOf(region, 0, length, () => true)) === "none";
  }

  /** What the rule matches, as far as it can be. */
  #partsOf(rule: number): readonly Part[] | undefined {
    const known = this.#parts[rule];
    if (known) return known;
    const parts = this.#cells[rule]?.flatMap((cell) =>
      this.#world.flatMap(({ region: world, holders }) => {
        const region = common(cell.region, world);
        return region ? [{ region, last: holders.find((holder) => holder !== rule) ?? null }] : [];
      }),
    );
    this.#parts[rule] = parts;
    return parts;
  }

  #anyFree(parts: readonly Pick<Part, "region">[], freeOf: (region: Region) => Free): Free {
    let answer: "none" | "tooMuch" = "none";
    for (const { region } of parts) {
      const free = freeOf(region);
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
    if (walked) return { region: onlyAt(walked.point) };
    const cells = this.#terminals.meeting(region, from, end).filter(({ rule }) => counts(rule));
    const free = uncovered(
      region,
      cells.map((cell) => cell.region),
      this.#effort,
    );
    return typeof free === "string" ? free : { region: free };
  }

  #shadowed(rule: number, parts: readonly Part[]): Finding {
    const taken = once(() => this.#takersOf(parts, rule, () => true));
    return this.#taken("shadowed", rule, taken, (parts[0] as Part).region);
  }

  #taken(kind: "shadowed" | "partlyShadowed", rule: number, taken: () => Taken, otherwise: Region): Finding {
    const by = (): Takers => {
      const rules = [...taken().keys()].sort((a, b) => a - b);
      return { rules: rules.slice(0, MOST_TAKERS), all: rules.length <= MOST_TAKERS };
    };
    const witness = (): Box => {
      const [first] = by().rules;
      return this.#witness((first === undefined ? undefined : taken().get(first)) ?? otherwise)();
    };
    return { kind, rule, by, witness };
  }

  /** Of the rules before `rule` that count, those that take something of the parts: so many, or one more than anybody names. */
  #takersOf(
    parts: readonly Part[],
    rule: number,
    counts: (other: number) => boolean,
    most = MOST_TAKERS + 1,
  ): Taken {
    const found = new Map<number, Region>();
    for (const { region } of parts) {
      this.#terminals.some(region, 0, rule, (cell) => {
        if (found.has(cell.rule) || !counts(cell.rule)) return false;
        const shared = common(region, cell.region);
        const free = shared && this.#freeOf(shared, 0, cell.rule, () => true);
        if (typeof free === "object") found.set(cell.rule, free.region);
        return found.size === most;
      });
    }
    return found;
  }

  /** `free` is something that gets to the rule. */
  #redundant(rule: number, parts: readonly Part[], free: Region): readonly Finding[] {
    const verdict = this.#verdict(rule);
    if (verdict === null || this.#somethingChanges(rule, parts, free, verdict)) return [];
    return [{ kind: "redundant", rule, witness: this.#witness(free) }];
  }

  /** Whether the rule's going changes what becomes of some packet, or who counts it on its way; so too where it is not known. */
  #somethingChanges(rule: number, parts: readonly Part[], free: Region, verdict: Verdict): boolean {
    const { rules, byDefault } = this.stage;
    if (this.#opaque > rule && this.#opaque < rules.length) return true;
    if (this.#differsBehind(rule, free, verdict)) return true;
    const same = (other: number) => other < rule || (other > rule && this.#verdict(other) === verdict);
    const changes = (region: Region, end: number) => this.#freeOf(region, 0, end, same) !== "none";
    const toDefault = byDefault === verdict ? [] : parts.filter(({ last }) => last === null);
    if (toDefault.some(({ region }) => changes(region, rules.length))) return true;
    return parts.some(({ region, last }) =>
      this.#all.some(region, rule + 1, (last ?? rules.length) + 1, (cell) => {
        if (this.#verdict(cell.rule) === verdict) return false;
        const shared = common(region, cell.region);
        return shared !== undefined && changes(shared, cell.rule);
      }),
    );
  }

  /** What would become of one packet that gets to the rule: it is answered at once for most rules. */
  #differsBehind(rule: number, free: Region, verdict: Verdict): boolean {
    const point = pointOf(free);
    const next = this.#all.firstAt(point, rule + 1, this.stage.rules.length);
    return (next ? this.#verdict(next.rule) : this.stage.byDefault) !== verdict;
  }

  #partlyShadowed(rule: number, parts: readonly Part[]): readonly Finding[] {
    const verdict = this.#verdict(rule);
    if (verdict === null) return [];
    const own = (this.#cells[rule] ?? []).map(({ region }) => region);
    const crossing = new Map<number, boolean>();
    const crosses = (other: number) => {
      if (other >= this.#opaque || (this.#verdict(other) === "allow") === (verdict === "allow")) return false;
      const known = crossing.get(other) ?? this.#hasMore(other, own);
      crossing.set(other, known);
      return known;
    };
    const takersOf = (most?: number) => this.#takersOf(parts, rule, crosses, most);
    const some = this.#tried(parts, rule, crosses) ?? [...takersOf(1).values()][0];
    return some ? [this.#taken("partlyShadowed", rule, once(takersOf), some)] : [];
  }

  /** A packet of the parts that a rule among these takes before `rule`, if one of the first that are tried is such. */
  #tried(parts: readonly Part[], rule: number, counts: (other: number) => boolean): Region | undefined {
    let tries = MOST_TRIES;
    let found: Region | undefined;
    for (const { region } of parts) {
      this.#terminals.some(region, 0, rule, (cell) => {
        if (!counts(cell.rule)) return false;
        const shared = common(region, cell.region);
        const point = shared && pointOf(shared);
        const taker = point && this.#terminals.firstAt(point, 0, rule);
        if (taker && counts(taker.rule)) found = onlyAt(point);
        return found !== undefined || --tries < 0;
      });
    }
    return found;
  }

  /** The rule matches packets that are not in the regions. */
  #hasMore(rule: number, regions: readonly Region[]): boolean {
    const cells = this.#cells[rule] ?? [];
    if (cells.every((cell) => regions.some((region) => regionHolds(region, cell.region)))) return false;
    const parts = this.#partsOf(rule) ?? [];
    return parts.some((part) => {
      if (regions.some((region) => regionHolds(region, part.region))) return false;
      return regions.length === 1 || uncovered(part.region, regions, this.#effort) !== "none";
    });
  }

  /** null: packets go on to the next rule, as under a limit. */
  #verdict(rule: number): Verdict | null {
    const action = this.stage.rules[rule]?.action;
    if (!action || action.kind === "limit" || action.kind === "count" || action.kind === "log") return null;
    return action.kind;
  }

  /** All that is to every rule as some point of the region is, in the same box of the world. */
  #witness(region: Region): Witness {
    return () => {
      const point = pointOf(region);
      const world = this.#world.find((one) => regionHas(one.region, point));
      invariant(world, "what is found is possible");
      const { length } = this.stage.rules;
      const only = onlyAt(point);
      let alike = world.region;
      for (const cell of this.#all.meeting(only, 0, length)) alike = common(alike, cell.region) ?? alike;
      // What is in the cells at the point is little, and few others reach it.
      for (const cell of this.#all.meeting(alike, 0, length)) alike = alikeOutside(alike, cell.region, point);
      return boxOfRegion(alike, this.#everything);
    };
  }
}

/** One point of the region. */
function pointOf(region: Region): Uint32Array {
  return Uint32Array.from(region, ([value]) => value ?? 0);
}

function onlyAt(point: Uint32Array): Region {
  return Array.from(point, (value) => range(value, value));
}

/** What `make` makes, made when it is first asked for. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * The part of a region that has the point and is outside the cell, if the point is, in one variable, the first: what says that a header
 * is there comes before what is in it. A region that the cell does not reach is left as it is.
 */
function alikeOutside(region: Region, cell: Region, point: Uint32Array): Region {
  const outside = cell.findIndex((values, variable) => !has(values, point[variable] as number));
  if (outside < 0 || !regionsMeet(region, cell)) return region;
  return region.with(outside, subtract(region[outside] as Ranges, cell[outside] as Ranges));
}

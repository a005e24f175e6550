import type { Box } from "../compiler/analysis/boxes.js";
import type { Cell } from "../compiler/analysis/cell-index.js";
import { type Effort, uncovered } from "../compiler/analysis/cover.js";
import { type Found, packetIn } from "../compiler/analysis/packets/packet-in.js";
import { has, meet, type Ranges, sameRanges, subtract } from "../compiler/analysis/ranges.js";
import { boxOfRegion, common, type Region, regionOf } from "../compiler/analysis/region.js";
import { freePoint } from "../compiler/analysis/walk.js";
import type { Expr } from "../compiler/ir/expr.js";
import type { Stage } from "../compiler/ir/policy.js";
import { wholeDatagram } from "../compiler/semantics/datagram.js";
import type { Packet } from "../compiler/semantics/decode.js";
import { gateOf } from "../compiler/semantics/gates.js";
import { matches } from "../compiler/semantics/match.js";
import { type Goal, meeting } from "./goals.js";
import type { Ground, Takers } from "./ground.js";
import { LONGEST } from "./shapes.js";

/** A point in the policy that a packet is to reach: before the rule of that number in its stage. */
export interface Position {
  readonly stage: Stage;
  readonly index: number;
}

/** `none`: no packet does it, for certain. `unknown`: the effort did not suffice, or nobody knew how to make the packet. */
export type Answer = Found | "none" | "unknown";

/** One question gets a part of what is left, and never less than this. */
const LEAST_EFFORT = 10_000;

/** A packet that meets `goals` and reaches `position`; null: it need not reach anything. */
export function find(ground: Ground, position: Position | null, goals: readonly Goal[]): Answer {
  return search(ground, position, goals, position ? waysTo(ground, position) : [ANY_WAY]);
}

/** The same past all limits on the way: one that is smaller than the rule's own would use itself up first. */
export function findPastLimits(ground: Ground, position: Position, goals: readonly Goal[]): Answer {
  const { stage, index } = position;
  const { mitigate, firewall } = ground.limits;
  const limits: readonly Before[] =
    stage === "mitigate"
      ? [{ takers: mitigate, end: index }]
      : [
          { takers: mitigate, end: Number.POSITIVE_INFINITY },
          { takers: firewall, end: index },
        ];
  const ways = waysTo(ground, position).map((way) => ({ ...way, past: [...way.past, ...limits] }));
  return search(ground, position, goals, ways);
}

function search(
  ground: Ground,
  position: Position | null,
  goals: readonly Goal[],
  ways: readonly Way[],
): Answer {
  const granted = Math.max(LEAST_EFFORT, Math.ceil(ground.effort.left / 40));
  const one = new Search(ground, position, { left: granted });
  const answer = one.run(goals, ways);
  ground.effort.left -= granted - Math.max(0, one.effort.left);
  return answer;
}

/** Some of a stage's rules: those before number `end`. */
interface Before {
  readonly takers: Takers;
  readonly end: number;
}

/** How a packet can come to a position: past some rules, and with more that is asked of it. */
interface Way {
  readonly past: readonly Before[];
  readonly goals: readonly Goal[];
}

const ANY_WAY: Way = { past: [], goals: [] };

/** In the firewall are those that no rule of `mitigate` drops, and those that one allows before. */
function waysTo({ policy, ...ground }: Ground, { stage, index }: Position): readonly Way[] {
  if (stage === "mitigate") return [{ past: [{ takers: ground.mitigate, end: index }], goals: [] }];
  const here: readonly Before[] = [
    { takers: ground.gates, end: Number.POSITIVE_INFINITY },
    { takers: ground.firewall, end: index },
  ];
  const allowed = policy.mitigate.flatMap(({ action, match }, end): readonly Way[] => {
    if (action.kind !== "allow") return [];
    return [{ past: [...here, { takers: ground.dropping, end }], goals: [{ expr: match, wanted: true }] }];
  });
  return [
    { past: [...here, { takers: ground.dropping, end: policy.mitigate.length }], goals: [] },
    ...allowed,
  ];
}

/** Two points that lie far apart: where no packet is found for the one, there may be for the other. */
const SEEDS = [1, 2];
/** In cells that are looked at, about the time that it takes. */
const COST = { packet: 1000, noPacket: 20_000 };

/** Its state is what makes "none" fit to be trusted: whether something was passed over. */
class Search {
  #exact = true;

  constructor(
    private readonly ground: Ground,
    private readonly position: Position | null,
    readonly effort: Effort,
  ) {}

  run(goals: readonly Goal[], ways: readonly Way[]): Answer {
    for (const way of ways) {
      const found = this.#along(way, goals);
      if (found) return found;
      if (this.effort.left < 0) return "unknown";
    }
    return this.#exact ? "none" : "unknown";
  }

  #along(way: Way, goals: readonly Goal[]): Found | undefined {
    for (const { boxes, exact } of meeting([...goals, ...way.goals], {
      ...this.ground,
      effort: this.effort,
    })) {
      this.#exact &&= exact;
      for (const region of this.#regionsOf(boxes)) {
        const found = this.#inRegion(region, way);
        // Whoever took it is asked about from the start: what it takes is of no use elsewhere either.
        if (found && "match" in found) return this.#along(without(way, found.match), goals);
        if (found) return found;
        if (this.effort.left < 0) return undefined;
      }
    }
    return undefined;
  }

  /** What packets can have of the boxes, those that the plainest packets have first. */
  *#regionsOf(boxes: readonly Box[]): Generator<Region> {
    const { everything, worlds } = this.ground;
    const regions = boxes.map((box) => regionOf(box, everything));
    for (const world of worlds[this.position?.stage ?? "mitigate"]) {
      for (const region of regions) {
        this.effort.left--;
        const possible = common(world, region);
        if (possible) yield possible;
      }
    }
  }

  /** A packet of the region that nobody takes, or an opaque rule that took what was found. */
  #inRegion(region: Region, way: Way): Found | Taken | undefined {
    const { everything, space, prefixes } = this.ground;
    let tried: Region | undefined;
    for (const seed of SEEDS) {
      const free = this.#free(region, way, seed);
      if (!free) return undefined;
      if (tried && isSame(tried, free)) break;
      tried = free;
      let taken: Taken | undefined;
      const found = packetIn(boxOfRegion(free, everything), space, prefixes, (packet) => {
        if (!this.#isJudged(packet)) return false;
        taken = this.#opaqueTaker(packet, way);
        return taken === undefined;
      });
      this.effort.left -= found ? COST.packet : COST.noPacket;
      if (found ?? taken) return found ?? taken;
      if (this.effort.left < 0) break;
    }
    this.#exact = false;
    return undefined;
  }

  /** A part of the region that no taker reaches, as wide as can be around a point of it. */
  #free(region: Region, { past }: Way, seed: number): Region | undefined {
    const taker = (point: Uint32Array): Cell | undefined => {
      for (const { takers, end } of past) {
        const cell = takers.cells.firstAt(point, 0, end);
        if (cell) return cell;
      }
      return undefined;
    };
    const walked = freePoint(region, taker, seed);
    if (walked && "holder" in walked) return undefined;
    const cells = past.flatMap(({ takers, end }) => takers.cells.meeting(region, 0, end));
    this.effort.left -= 1 + cells.length;
    if (walked) return around(walked.point, region, cells);
    const free = uncovered(
      region,
      cells.map((cell) => cell.region),
      this.effort,
    );
    if (free === "tooMuch") this.#exact = false;
    if (typeof free === "string") return undefined;
    return around(
      Uint32Array.from(free, ([value]) => value ?? 0),
      region,
      cells,
    );
  }

  /** It can be sent, gets past what the kernel drops between the stages, and is no part of a datagram that somebody waits for. */
  #isJudged(packet: Packet): boolean {
    if (packet.bytes.length > LONGEST) return false;
    if (this.position?.stage !== "firewall") return true;
    return !gateOf(packet) && (!this.ground.policy.firewall.stateful || wholeDatagram(packet) === packet);
  }

  #opaqueTaker(packet: Packet, { past }: Way): Taken | undefined {
    for (const { takers, end } of past) {
      const taken = takers.opaque.find(
        ({ rule, match }) => rule < end && matches(match, packet, this.ground.policy.lists),
      );
      if (taken) return taken;
    }
    return undefined;
  }
}

function isSame(a: Region, b: Region): boolean {
  return a.every((values, variable) => sameRanges(values, b[variable] as Ranges));
}

interface Taken {
  readonly match: Expr;
}

function without(way: Way, match: Expr): Way {
  return { ...way, goals: [...way.goals, { expr: match, wanted: false }] };
}

/**
 * The region without the cells, none of which has the point. Each is left in one variable, the first: what says that a header is
 * there comes before what is in it.
 */
function around(point: Uint32Array, region: Region, cells: readonly Cell[]): Region {
  const wide = [...region];
  for (const { region: cell } of cells) {
    if (wide.some((values, variable) => !meet(values, cell[variable] as Ranges))) continue;
    const outside = cell.findIndex((values, variable) => !has(values, point[variable] as number));
    wide[outside] = subtract(wide[outside] as Ranges, cell[outside] as Ranges);
  }
  return wide;
}

import { ANYTHING, type Box, boxesOf } from "../../../compiler/analysis/boxes.js";
import {
  has,
  holds,
  intersect,
  lastOf,
  meet,
  NOTHING,
  type Ranges,
  range,
  unite,
} from "../../../compiler/analysis/ranges.js";
import { type Space, spaceOf } from "../../../compiler/analysis/space.js";
import { TRANSPORTS } from "../../../compiler/analysis/variable.js";
import { boundsOf } from "../../../compiler/ir/bounds.js";
import { type Test, testsOf } from "../../../compiler/ir/expr.js";
import { HEADERS } from "../../../compiler/ir/headers.js";
import type { AddressList, Rule } from "../../../compiler/ir/policy.js";
import type { Part } from "../condition.js";
import { isVerdict } from "../rules.js";
import { type Subject, subjectsOf } from "./question.js";

/**
 * What trees sort: the rules as boxes of packets. A box may hold more packets than the rule, never fewer: whether a rule
 * matches is for its own lines to say, a tree only leaves out the rules that cannot.
 */
export interface Items {
  /** The rule of each item, by its place in the stage; ascending. */
  readonly rules: Int32Array;
  readonly asked: readonly Asked[];
  readonly boxes: readonly Box[];
  /** Whether the rule of an item matches all packets of its box, and decides. */
  readonly decides: Uint8Array;
  /** Whether packets go on from the rule of an item. */
  readonly goesOn: Uint8Array;
  readonly space: Space;
  /** The packets for which a test of one of the rules holds; undefined: it was not looked at. */
  readonly boxesOfTest: (test: Test) => readonly Box[] | undefined;
}

/** What each item asks of one subject. */
export interface Asked {
  readonly subject: Subject;
  /** The different sets of values that items ask for; the first is all of them. */
  readonly values: readonly Ranges[];
  /** For each item, which of `values`. */
  readonly of: Int32Array;
  readonly presence: readonly Presence[];
}

/** Whether the packets of an item have the subject. */
export type Presence = "never" | "maybe" | "always";

/** More boxes than this, and a rule is one that may match anything. */
const MOST_BOXES = 32;
/** Lists longer than this are not looked at: whatever their addresses are, a rule that asks for one is asked. */
const LONG_LIST = 256;

export function itemsOf(rules: readonly Rule[], lists: readonly AddressList[], part: Part): Items {
  const long = new Set(
    lists.filter((list) => list[4].length + list[6].length > LONG_LIST).map(({ name }) => name),
  );
  const unknown = (test: Test) => test.kind === "list" && long.has(test.list);
  const known = rules.map((rule) => ({ ...rule, match: boundsOf(rule.match, unknown).maybe }));
  const space = spaceOf([known]);
  const found = known.map(({ match }) => boxesOf(match, space, lists, MOST_BOXES));
  const boxes = found.map((some) => some ?? [ANYTHING]);
  const each = (of: (rule: number) => number) =>
    boxes.flatMap((some, rule) => Array<number>(some.length).fill(of(rule)));
  const isExact = (rule: number) => found[rule] !== undefined && known[rule]?.match === rules[rule]?.match;
  const goesOn = (rule: number) => !isVerdict((rules[rule] as Rule).action);
  const subjects = space.variables.flatMap((variable) => subjectsOf(variable, part));
  return {
    rules: Int32Array.from(each((rule) => rule)),
    boxes: boxes.flat(),
    decides: Uint8Array.from(each((rule) => (isExact(rule) && !goesOn(rule) ? 1 : 0))),
    goesOn: Uint8Array.from(each((rule) => (goesOn(rule) ? 1 : 0))),
    space,
    boxesOfTest: testBoxes(known, space, lists),
    asked: subjects
      .map((subject) => askedOf(subject, boxes.flat(), space))
      .filter(({ values }) => values.length > 1),
  };
}

/** Each test's boxes are made when they are first asked for. */
function testBoxes(
  rules: readonly Rule[],
  space: Space,
  lists: readonly AddressList[],
): Items["boxesOfTest"] {
  const asked = new Set(rules.flatMap(({ match }) => testsOf(match)));
  const known = new Map<Test, readonly Box[] | undefined>();
  return (test) => {
    if (!known.has(test))
      known.set(test, asked.has(test) ? boxesOf(test, space, lists, MOST_BOXES) : undefined);
    return known.get(test);
  };
}

function askedOf(subject: Subject, boxes: readonly Box[], space: Space): Asked {
  const { variable } = subject;
  const values: Ranges[] = [range(0, lastOf(variable.bits))];
  const known = new Map<string, number>();
  const of = new Int32Array(boxes.length);
  const presence = boxes.map((box, item): Presence => {
    const asked = valuesIn(box, subject, space);
    if (!asked) return mayHave(subject, box, space) ? "maybe" : "never";
    const key = asked.join();
    const index = known.get(key) ?? values.push(asked) - 1;
    known.set(key, index);
    of[item] = index;
    return presenceIn(subject, asked, box, space);
  });
  return { subject, values, of, presence };
}

function presenceIn(subject: Subject, asked: Ranges, box: Box, space: Space): Presence {
  if (!mayHave(subject, box, space)) return "never";
  const isThere = subject.present.every(({ key, allows }) => {
    const restricted = restrictionOf(box, key, space);
    return restricted && holds(allows, restricted);
  });
  return isThere && !has(asked, subject.absent) ? "always" : "maybe";
}

function mayHave({ present, besides }: Subject, box: Box, space: Space): boolean {
  return [...present, ...besides].every(({ key, allows }) => {
    const restricted = restrictionOf(box, key, space);
    return !restricted || meet(allows, restricted);
  });
}

function restrictionOf({ restricts }: Box, key: string, space: Space): Ranges | undefined {
  const index = space.indexOf(key);
  return index === undefined ? undefined : restricts.get(index);
}

/** What the box asks of the subject; undefined: nothing. */
function valuesIn(box: Box, { variable }: Subject, space: Space): Ranges | undefined {
  const asked = restrictionOf(box, variable.key, space);
  if (variable.asks.kind !== "protocol") return asked;
  const carriers = carriersOf(restrictionOf(box, "transport", space));
  return asked && carriers ? intersect(asked, carriers) : (asked ?? carriers);
}

/** The protocols whose transport headers are asked for; undefined: others may do too. */
function carriersOf(transports: Ranges | undefined): Ranges | undefined {
  if (!transports || (transports[0] as number) < 0x1_0000) return undefined;
  return (["tcp", "udp", "icmp", "icmp6", "gre"] as const)
    .filter((header) => {
      const which = TRANSPORTS[header] * 0x1_0000;
      return meet(transports, range(which, which + 0xffff));
    })
    .map((header) => range(HEADERS[header].proto, HEADERS[header].proto))
    .reduce(unite, NOTHING);
}

import { prefixRange } from "../../ir/address.js";
import type { Expr } from "../../ir/expr.js";
import { intervals } from "../../ir/intervals.js";
import type { Policy, Stage } from "../../ir/policy.js";
import { bytesNeeded, WIRE_FIELDS, type WireField } from "../../ir/wire.js";
import type { Diagram } from "../diagram.js";
import { diagramOf } from "../first-match.js";
import { always, answerOf, NO, type Ref } from "../ref.js";
import type { Decider, Outcome, Outcomes } from "./outcomes.js";
import { type Met, type Numbered, stageDiagram } from "./stage.js";

/** A policy, as far as some packets may have to do with it. */
export interface Side {
  readonly policy: Policy;
  readonly mitigate: readonly Numbered[];
  readonly firewall: readonly Numbered[];
}

/** The number of each packet's outcome, for packets of `where`. */
export function treatmentOf(diagram: Diagram, side: Side, where: Ref, outcomes: Outcomes): Ref {
  const { policy } = side;
  const owned = diagramOf(diagram, destinations(policy, policy.prefixes), policy.lists);
  const own = diagram.intersection(where, owned);
  const mitigate = stageDiagram(diagram, side.mitigate, policy.lists, own);
  const firewall = stageDiagram(diagram, side.firewall, policy.lists, own);
  const awaited = policy.firewall.stateful ? diagramOf(diagram, fragments(policy), policy.lists) : NO;
  const both = diagram.operation((early, late) => {
    const first = answerOf(early);
    if (first === undefined) return null;
    const dropped = droppedEarly(mitigate.met(first));
    if (dropped) return always(outcomes.number(dropped));
    const second = answerOf(late);
    if (second === undefined) return null;
    return always(outcomes.number(passedOn(mitigate.met(first), firewall.met(second), policy)));
  });
  const whole = diagram.apply(both, mitigate.root, firewall.root);
  const held = diagram.operation((outcome, fragment) => {
    if (fragment === NO) return outcome;
    const [number, isFragment] = [answerOf(outcome), answerOf(fragment)];
    if (number === undefined || isFragment === undefined) return null;
    const judgedAs = outcomes.at(number);
    return judgedAs.stage === "mitigate" ? outcome : always(outcomes.number(heldBack(judgedAs)));
  });
  const judged = diagram.apply(held, whole, awaited);
  return diagram.within(routed(diagram, judged, policy, outcomes), own);
}

function droppedEarly({ limits, ended }: Met): Outcome | undefined {
  if (ended?.rule.action.kind !== "drop") return undefined;
  const decider = { stage: "mitigate", pair: ended.pair } as const;
  return { verdict: "drop", stage: "mitigate", decider, held: false, limits: deciders("mitigate", limits) };
}

function passedOn(early: Met, { limits, ended }: Met, { firewall }: Policy): Outcome {
  const action = ended?.rule.action.kind;
  const verdict = action === "allow" || action === "drop" || action === "reject" ? action : firewall.default;
  return {
    verdict,
    stage: "firewall",
    decider: ended && { stage: "firewall", pair: ended.pair },
    held: false,
    limits: [...deciders("mitigate", early.limits), ...deciders("firewall", limits)],
  };
}

/** A stateful firewall awaits the rest of the datagram: its rules do not see the fragment. */
function heldBack({ limits }: Outcome): Outcome {
  const met = limits.filter(({ stage }) => stage === "mitigate");
  return { verdict: "drop", stage: "firewall", decider: null, held: true, limits: met };
}

function deciders(stage: Stage, pairs: readonly number[]): readonly Decider[] {
  return pairs.map((pair) => ({ stage, pair }));
}

/** Allowed packets without a route are dropped. */
function routed(diagram: Diagram, judged: Ref, policy: Policy, outcomes: Outcomes): Ref {
  const routes = diagramOf(diagram, destinations(policy, policy.routes), policy.lists);
  const withRoute = diagram.operation((outcome, route) => {
    const [number, isRouted] = [answerOf(outcome), answerOf(route)];
    if (number === undefined || isRouted === undefined) return null;
    const judgedAs = outcomes.at(number);
    if (judgedAs.verdict !== "allow" || route !== NO) return outcome;
    return always(outcomes.number({ ...judgedAs, verdict: "drop", stage: "route", decider: null }));
  });
  return diagram.apply(withRoute, judged, routes);
}

/** To one of the prefixes. */
export function destinations(
  { span }: Policy,
  prefixes: readonly Pick<Policy["routes"][number], "prefix">[],
): Expr {
  const operands = ([4, 6] as const).flatMap((family): readonly Expr[] => {
    const own = prefixes.filter(({ prefix }) => prefix.family === family);
    const ranges = intervals(own.map(({ prefix }) => prefixRange(prefix)));
    const needs =
      family === 4 ? ({ header: "ip4", bytes: 20 } as const) : ({ header: "ip6", bytes: 40 } as const);
    return ranges.length === 0 ? [] : [{ kind: "address", field: "ip.dst", family, ranges, needs, span }];
  });
  return { kind: "or", operands, span };
}

/**
 * What a stateful firewall puts together. An IPv6 fragment header that says neither offset nor more makes no fragment: that the
 * kernel drops such a packet where headers are missing, and takes the header away where none are, is left aside.
 */
export function fragments({ span }: Policy): Expr {
  const [four, six] = [WIRE_FIELDS["ip4.frag"], WIRE_FIELDS["fragment6.field"]];
  const needs = (field: WireField) => ({ header: field.header, bytes: bytesNeeded(field) });
  return {
    kind: "or",
    operands: [
      { kind: "number", field: four, ranges: [{ low: 1n, high: 0x3fffn }], needs: needs(four), span },
      { kind: "bits", field: six, mask: 0xfff9n, needs: needs(six), span },
    ],
    span,
  };
}

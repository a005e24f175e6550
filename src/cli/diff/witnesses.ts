import type { Comparison, Difference } from "../../compiler/analysis/diff/compare.js";
import type { Outcome } from "../../compiler/analysis/diff/outcomes.js";
import { packetIn } from "../../compiler/analysis/packets/packet-in.js";
import { plainText } from "../../compiler/analysis/packets/plain-text.js";
import type { Policy, Stage } from "../../compiler/ir/policy.js";
import type { Surroundings } from "../../compiler/semantics/decode.js";
import { evaluate, type Trace } from "../../compiler/semantics/evaluate.js";
import { newState } from "../../compiler/semantics/state.js";

/** The packet of a difference as a text: the reference says of it what the difference says. null: none was found. */
export function witnessOf(
  difference: Difference,
  { space, pairs }: Comparison,
  before: Policy,
  after: Policy,
): string | null {
  const prefixes = [...before.prefixes, ...after.prefixes].map(({ prefix }) => prefix);
  const isShown = (bytes: Uint8Array, surroundings: Surroundings): boolean => {
    const judged = (policy: Policy) => evaluate(policy, bytes, newState(), 0n, surroundings);
    return (
      agrees(judged(before), difference.before, (stage, pair) => pairs[stage][pair]?.before?.name) &&
      agrees(judged(after), difference.after, (stage, pair) => pairs[stage][pair]?.after?.name)
    );
  };
  let best: string | null = null;
  for (const box of difference.boxes.slice(0, MOST_BOXES)) {
    const found = packetIn(box, space, prefixes);
    const text = found ? plainText(found, isShown) : null;
    if (text !== null && (best === null || rank(text) < rank(best))) best = text;
    if (best !== null && rank(best) === 0) return best;
  }
  return best;
}

/** Of so many the packet that people know best is taken. */
const MOST_BOXES = 3;

/** What people know best comes first. */
const FAMILIAR = ["tcp ", "udp ", "icmp", ""];

function rank(text: string): number {
  return FAMILIAR.findIndex((start) => text.startsWith(start));
}

type NameOf = (stage: Stage, pair: number) => string | undefined;

function agrees(trace: Trace, outcome: Outcome, nameOf: NameOf): boolean {
  const { decider } = outcome;
  const rule = decider ? nameOf(decider.stage, decider.pair) : null;
  return (
    trace.verdict === outcome.verdict &&
    (trace.stage === "route" || trace.rule === rule) &&
    trace.stage === outcome.stage &&
    trace.held === outcome.held
  );
}

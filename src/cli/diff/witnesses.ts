import type { Comparison, Difference } from "../../compiler/analysis/diff/compare.js";
import type { Outcome } from "../../compiler/analysis/diff/outcomes.js";
import { packetIn } from "../../compiler/analysis/packets/packet-in.js";
import type { Policy, Stage } from "../../compiler/ir/policy.js";
import type { Surroundings } from "../../compiler/semantics/decode.js";
import { evaluate, type Trace } from "../../compiler/semantics/evaluate.js";
import { newState } from "../../compiler/semantics/state.js";
import { plainText } from "../plain-packet.js";

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
  const texts = difference.boxes.flatMap((box) => {
    const found = packetIn(box, space, prefixes, ({ bytes, surroundings }) => isShown(bytes, surroundings));
    return found ? [plainText(found, isShown)] : [];
  });
  const rank = (text: string) => FAMILIAR.findIndex((start) => text.startsWith(start));
  return texts.sort((a, b) => rank(a) - rank(b) || a.length - b.length)[0] ?? null;
}

/** What people know best comes first. */
const FAMILIAR = ["tcp ", "udp ", "icmp", ""];

type NameOf = (stage: Stage, pair: number) => string | undefined;

function agrees(trace: Trace, outcome: Outcome, nameOf: NameOf): boolean {
  const { decider } = outcome;
  const rule = decider ? nameOf(decider.stage, decider.pair) : null;
  return (
    trace.verdict === outcome.verdict &&
    (trace.stage === "route" || trace.rule === rule) &&
    trace.stage === outcome.stage
  );
}

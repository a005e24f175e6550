import { type FlowRule, isAnyPort, prefixAt, type Span } from "../rulesets/flow-rule.js";
import { Random } from "../rulesets/random.js";

/** What a change of a policy usually is: a few rules of many, each a little different. */
export function edited(rules: readonly FlowRule[], edits: number, seed: number): readonly FlowRule[] {
  const random = new Random(seed);
  const chosen = new Set<number>();
  while (chosen.size < Math.min(edits, rules.length)) chosen.add(random.below(rules.length));
  return rules.map((rule, index) => (chosen.has(index) ? changed(rule) : rule));
}

/** Another port, or else a destination twice as large. */
function changed(rule: FlowRule): FlowRule {
  const { destination, destinationPorts } = rule;
  if (!isAnyPort(destinationPorts)) return { ...rule, destinationPorts: next(destinationPorts) };
  if (destination.length === 0) return { ...rule, destination: prefixAt(destination.base, 1) };
  return { ...rule, destination: prefixAt(destination.base, destination.length - 1) };
}

function next({ low, high }: Span): Span {
  return high < 0xffff ? { low: low + 1, high: high + 1 } : { low: low - 1, high: high - 1 };
}

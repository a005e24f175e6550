import { boxHas } from "../analysis/boxes.js";
import { type Found, packetIn } from "../analysis/packets/packet-in.js";
import { plainText } from "../analysis/packets/plain-text.js";
import { valuesOf } from "../analysis/packets/values.js";
import { possible } from "../analysis/possible.js";
import { type Finding, findingsOf, type Takers, type Witness } from "../analysis/shadow.js";
import { spaceOf } from "../analysis/space.js";
import { type Diagnostics, type Label, MAX_KEPT } from "../diagnostics/diagnostic.js";
import { isTerminal, type Policy, type Rule, type Stage, type Verdict } from "../ir/policy.js";
import { decode, type Packet } from "../semantics/decode.js";
import { matches } from "../semantics/match.js";

/** Two rules that cross are told of in each of so many rules; their author reads a few examples. */
const MOST_CROSSINGS = 10;
/** Rules that are named and shown beside a rule that they take packets from. */
const MOST_NAMED = 3;

/** What is odd about a policy's rules as a whole: reported once the policy has no mistakes. */
export function reportShadows(policy: Policy, diagnostics: Diagnostics): void {
  const { firewall } = policy;
  reportStage({ policy, stage: "mitigate", rules: policy.mitigate, byDefault: "allow" }, diagnostics);
  reportStage({ policy, stage: "firewall", rules: firewall.rules, byDefault: firewall.default }, diagnostics);
}

interface StageOf {
  readonly policy: Policy;
  readonly stage: Stage;
  readonly rules: readonly Rule[];
  readonly byDefault: Verdict;
}

function reportStage(stage: StageOf, diagnostics: Diagnostics): void {
  const { policy, rules, byDefault } = stage;
  const space = spaceOf([rules]);
  const whole = stage.stage === "firewall" && policy.firewall.stateful;
  const world = possible(space, { prefixes: policy.prefixes, whole });
  const { findings, undecided } = findingsOf({ rules, byDefault, lists: policy.lists, space, world });
  const prefixes = policy.prefixes.map(({ prefix }) => prefix);
  const shown = (witness: Witness, rule: Rule, first: Rule | null): string => {
    const box = witness();
    // In the box every rule does what it is known to do, unless its condition was not looked at: then all of them are asked.
    const isKnown = (packet: Packet) => undecided.length === 0 && boxHas(box, valuesOf(packet, space));
    const isIt = (packet: Packet) => {
      if (!isMatched(packet, rule)) return false;
      if (isKnown(packet)) return first === null || isMatched(packet, first);
      return takerOf(packet, rule) === first;
    };
    const found = packetIn(box, space, prefixes, isIt);
    return found ? such(found, isIt) : "";
  };
  const isMatched = (packet: Packet, { match }: Rule) => matches(match, packet, policy.lists);
  const takerOf = (packet: Packet, rule: Rule) =>
    rules.slice(0, rules.indexOf(rule)).find((one) => isTerminal(one) && isMatched(packet, one)) ?? null;
  const told = { partlyShadowed: 0, redundant: 0 };
  for (const finding of findings) {
    if (finding.kind === "partlyShadowed" && told.partlyShadowed++ >= MOST_CROSSINGS) continue;
    if (finding.kind === "redundant" && told.redundant++ >= MAX_KEPT) continue;
    reportFinding(finding, stage, shown, diagnostics);
  }
  for (const { name, span } of undecided.flatMap((rule) => rules[rule] ?? [])) {
    diagnostics.report("TG3015", span, { rule: name });
  }
}

/** `, such as PACKET`. */
function such(found: Found, isIt: (packet: Packet) => boolean): string {
  const text = plainText(found, (bytes, surroundings) => {
    const decoded = decode(bytes, undefined, surroundings);
    return decoded.kind === "packet" && isIt(decoded.packet);
  });
  return text === null ? "" : `, such as \`${text}\``;
}

type Shown = (witness: Witness, rule: Rule, first: Rule | null) => string;

function reportFinding(
  finding: Finding,
  { stage, rules }: StageOf,
  shown: Shown,
  diagnostics: Diagnostics,
): void {
  if (finding.kind === "unreachableDefault") {
    const last = rules.at(-1);
    if (last) diagnostics.report("TG3014", last.span, { rule: last.name, stage });
    return;
  }
  const rule = rules[finding.rule];
  if (!rule) return;
  const { name, span, match } = rule;
  switch (finding.kind) {
    case "neverMatches":
      // What is false whatever the packet is reported where it is read.
      if (match.kind !== "const") diagnostics.report("TG3001", span, { rule: name });
      return;
    case "redundant":
      diagnostics.report("TG3012", span, { rule: name, such: shown(finding.witness, rule, null) });
      return;
    case "shadowed":
    case "partlyShadowed": {
      const takers = takersIn(finding.by(), rules);
      const params = { rule: name, by: takers.names, such: shown(finding.witness, rule, takers.first) };
      const related = takers.labels;
      if (finding.kind === "shadowed") diagnostics.report("TG3011", span, params, { related });
      else diagnostics.report("TG3013", span, { ...params, ...actions(rule, takers.first) }, { related });
      return;
    }
  }
}

function actions({ action }: Rule, first: Rule | null) {
  return { action: action.kind, other: first?.action.kind ?? "" };
}

function takersIn({ rules: numbers, all }: Takers, rules: readonly Rule[]) {
  const takers = numbers.flatMap((number) => rules[number] ?? []);
  const named = takers.slice(0, MOST_NAMED);
  const more = takers.length - named.length;
  const texts = named.map(({ name }) => `\`${name}\``);
  const rest = more === 0 && all ? [] : [all ? `${more} more` : "others"];
  const labels = named.map(({ span }): Label => ({ span, text: "takes such packets before" }));
  return { names: joined([...texts, ...rest]), labels, first: takers[0] ?? null };
}

function joined(texts: readonly string[]): string {
  const [last, ...others] = [...texts].reverse();
  return others.length === 0 ? (last ?? "") : `${others.reverse().join(", ")} and ${last}`;
}

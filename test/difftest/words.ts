import type { Policy, Stage } from "../../src/compiler/ir/policy.js";
import { type Decoded, decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { evaluate, type Step } from "../../src/compiler/semantics/evaluate.js";
import { pieceOf } from "../../src/compiler/semantics/fragments.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { earlyStep } from "../../src/targets/xdp/early.js";
import type { TestPacket } from "../../src/verify/packets.js";
import type { WrittenPolicy, WrittenRule } from "../support/language-arbitrary.js";
import type { Comparison } from "../support/language-comparison.js";
import type { Cell } from "./coverage.js";

/** What packets show of a policy as it was written. */
export interface WordsReport {
  /** Where a rule matches other packets than its words say. */
  readonly wrong: readonly WordsMismatch[];
  /** What had a packet that hit it and one that missed. */
  readonly cells: readonly Cell[];
}

/** A packet that a rule's words do not say what the rule does of. */
export interface WordsMismatch {
  readonly packet: TestPacket;
  /** The rule's name. */
  readonly rule: string;
  /** What the words say. */
  readonly holds: boolean;
}

/**
 * Holds the rules that packets come to against their words: the reference against what was written, which no pass of the
 * compiler has seen. The firewall is asked alone, as its target is.
 */
export function compareWords(
  written: WrittenPolicy,
  policy: Policy,
  packets: Readonly<Record<Stage, readonly TestPacket[]>>,
): WordsReport {
  const seen = { mitigate: new Seen("mitigate"), firewall: new Seen("firewall") };
  const wrong: WordsMismatch[] = [];
  const early = new Set(earlyStep(policy)?.questions.map(({ index }) => index));
  for (const [packet, decoded] of wellFormed(packets.mitigate, policy)) {
    const steps = stepsOf(policy, packet);
    wrong.push(...compared(written.rules.mitigate, steps.mitigate, { packet, decoded, seen: seen.mitigate }));
    for (const index of askedEarly(steps.firewall, early))
      seen.mitigate.comparisons(written.rules.firewall[index], decoded);
  }
  const alone = { ...policy, mitigate: [] };
  for (const [packet, decoded] of wellFormed(packets.firewall, policy)) {
    const steps = stepsOf(alone, packet).firewall;
    seen.firewall.default(policy, steps);
    wrong.push(...compared(written.rules.firewall, steps, { packet, decoded, seen: seen.firewall }));
  }
  return { wrong, cells: [...seen.mitigate.cells, ...seen.firewall.cells] };
}

/** The rules that a packet came to, against their words. */
function compared(
  rules: readonly WrittenRule[],
  steps: readonly Step[],
  { packet, decoded, seen }: { readonly packet: TestPacket; readonly decoded: Packet; readonly seen: Seen },
): readonly WordsMismatch[] {
  return steps.flatMap((step, index) => {
    const rule = rules[index];
    if (!rule) return [];
    const holds = rule.condition.holds(decoded);
    seen.rule(rule, decoded, holds);
    return holds === (step.outcome !== "miss") ? [] : [{ packet, rule: step.rule.name, holds }];
  });
}

/** Those that are judged as they are, and not only as parts of a datagram. */
function wellFormed(
  packets: readonly TestPacket[],
  policy: Policy,
): readonly (readonly [TestPacket, Packet])[] {
  return packets.flatMap((packet) => {
    const decoded = decode(packet.bytes, undefined, packet.surroundings);
    return isJudgedAsItIs(decoded, policy) ? [[packet, decoded.packet] as const] : [];
  });
}

/** The firewall's rules that XDP asks of a packet already: the first one that holds ends the early step. */
function askedEarly(steps: readonly Step[], early: ReadonlySet<number>): readonly number[] {
  const first = steps.findIndex(({ outcome }) => outcome !== "miss");
  const before = first < 0 ? steps : steps.slice(0, first + 1);
  return [...before.keys()].filter((index) => early.has(index));
}

/** A stateful firewall judges datagrams, of which a fragment is only a part. */
function isJudgedAsItIs(
  decoded: Decoded,
  { firewall }: Policy,
): decoded is Extract<Decoded, { kind: "packet" }> {
  return decoded.kind === "packet" && !(firewall.stateful && pieceOf(decoded.packet));
}

/** The rules of the stages that the packet came to. Limits are at rest. */
function stepsOf(
  policy: Policy,
  { bytes, surroundings, at }: TestPacket,
): Readonly<Record<Stage, readonly Step[]>> {
  const { steps } = evaluate(policy, bytes, newState(), at, surroundings);
  const of = (stage: Stage) => steps.filter((step) => step.stage === stage);
  return { mitigate: of("mitigate"), firewall: of("firewall") };
}

/** Hits and misses of what a policy has in a stage. */
class Seen {
  readonly #stage: Stage;
  readonly #ends = new Map<string, { readonly cell: Cell; hit: boolean; missed: boolean }>();
  /** Comparisons of which both ends were seen need not be asked again. */
  readonly #done = new Set<Comparison>();
  readonly #hits = new Set<Comparison>();
  readonly #misses = new Set<Comparison>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  rule(rule: WrittenRule, packet: Packet, holds: boolean): void {
    this.#note(rule.action, "rule", holds);
    this.comparisons(rule, packet);
  }

  /** What the rule asks, whatever it does. */
  comparisons(rule: WrittenRule | undefined, packet: Packet): void {
    for (const one of rule?.condition.comparisons ?? [])
      if (!this.#done.has(one)) this.#comparison(one, packet);
  }

  /** Whether the firewall's default decided. */
  default({ firewall }: Policy, steps: readonly Step[]): void {
    const last = steps.at(-1)?.outcome;
    const terminal = last === "allow" || last === "drop" || last === "reject" || last === "over";
    this.#note(firewall.default, "default", !terminal);
  }

  get cells(): readonly Cell[] {
    return [...this.#ends.values()].flatMap(({ cell, hit, missed }) => (hit && missed ? [cell] : []));
  }

  #comparison(one: Comparison, packet: Packet): void {
    (one.holds(packet) ? this.#hits : this.#misses).add(one);
    if (!this.#hits.has(one) || !this.#misses.has(one)) return;
    this.#done.add(one);
    this.#note(one.subject, one.operator, true);
    this.#note(one.subject, one.operator, false);
  }

  #note(row: string, column: string, hit: boolean): void {
    const key = `${row} ${column}`;
    const ends = this.#ends.get(key) ?? {
      cell: { stage: this.#stage, row, column },
      hit: false,
      missed: false,
    };
    this.#ends.set(key, ends);
    if (hit) ends.hit = true;
    else ends.missed = true;
  }
}

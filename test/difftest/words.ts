import type { Policy, Stage } from "../../src/compiler/ir/policy.js";
import { type Decoded, decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { evaluate, type Step } from "../../src/compiler/semantics/evaluate.js";
import { pieceOf } from "../../src/compiler/semantics/fragments.js";
import { newState } from "../../src/compiler/semantics/state.js";
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
  const seen = new Seen();
  const wrong: WordsMismatch[] = [];
  const alone = { mitigate: policy, firewall: { ...policy, mitigate: [] } };
  for (const stage of ["mitigate", "firewall"] as const) {
    for (const packet of packets[stage]) {
      const decoded = decode(packet.bytes, undefined, packet.surroundings);
      if (!isJudgedAsItIs(decoded, policy)) continue;
      const steps = stepsOf(alone[stage], packet, stage);
      seen.default(stage, policy, steps);
      for (const [index, step] of steps.entries()) {
        const rule = written.rules[stage][index];
        if (!rule) continue;
        const holds = rule.condition.holds(decoded.packet);
        if (holds !== (step.outcome !== "miss")) wrong.push({ packet, rule: step.rule.name, holds });
        seen.rule(stage, rule, decoded.packet, holds);
      }
    }
  }
  return { wrong, cells: seen.cells };
}

/** A stateful firewall judges datagrams, of which a fragment is only a part. */
function isJudgedAsItIs(
  decoded: Decoded,
  { firewall }: Policy,
): decoded is Extract<Decoded, { kind: "packet" }> {
  return decoded.kind === "packet" && !(firewall.stateful && pieceOf(decoded.packet));
}

/** The rules of the stage that the packet came to. Limits are at rest. */
function stepsOf(policy: Policy, { bytes, surroundings, at }: TestPacket, stage: Stage): readonly Step[] {
  const { steps } = evaluate(policy, bytes, newState(), at, surroundings);
  return steps.filter((step) => step.stage === stage);
}

/** Hits and misses of what a policy has. */
class Seen {
  readonly #ends = new Map<string, { readonly cell: Cell; hit: boolean; missed: boolean }>();
  /** Comparisons of which both ends were seen need not be asked again. */
  readonly #done = new Set<Comparison>();
  readonly #hits = new Set<Comparison>();
  readonly #misses = new Set<Comparison>();

  rule(stage: Stage, { action, condition }: WrittenRule, packet: Packet, holds: boolean): void {
    this.#note({ stage, row: action, column: "rule" }, holds);
    for (const one of condition.comparisons) if (!this.#done.has(one)) this.#comparison(stage, one, packet);
  }

  /** Whether the stage's default decided. */
  default(stage: Stage, { firewall }: Policy, steps: readonly Step[]): void {
    if (stage !== "firewall") return;
    const last = steps.at(-1)?.outcome;
    const terminal = last === "allow" || last === "drop" || last === "reject" || last === "over";
    this.#note({ stage, row: firewall.default, column: "default" }, !terminal);
  }

  get cells(): readonly Cell[] {
    return [...this.#ends.values()].flatMap(({ cell, hit, missed }) => (hit && missed ? [cell] : []));
  }

  #comparison(stage: Stage, one: Comparison, packet: Packet): void {
    (one.holds(packet) ? this.#hits : this.#misses).add(one);
    if (!this.#hits.has(one) || !this.#misses.has(one)) return;
    this.#done.add(one);
    const cell = { stage, row: one.subject, column: one.operator };
    this.#note(cell, true);
    this.#note(cell, false);
  }

  #note(cell: Cell, hit: boolean): void {
    const key = `${cell.stage} ${cell.row} ${cell.column}`;
    const ends = this.#ends.get(key) ?? { cell, hit: false, missed: false };
    this.#ends.set(key, ends);
    if (hit) ends.hit = true;
    else ends.missed = true;
  }
}

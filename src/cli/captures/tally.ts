import type { Policy, Rule, Stage } from "../../compiler/ir/policy.js";
import { countersOf, type Trace } from "../../compiler/semantics/evaluate.js";
import type { Judged } from "./judge.js";

/** Packets, and bytes of their own length (docs/semantics.md, "Counters"). */
export interface Count {
  packets: number;
  bytes: number;
}

/** A counter of a stage, as `tidegate status` has it. `rule` null: what no rule decides. */
export interface CounterRow {
  readonly stage: Trace["stage"];
  readonly rule: Rule | null;
  readonly action: Rule["action"]["kind"] | "held";
  readonly count: Count;
}

/**
 * A verdict, or what came before one. `gate`: the kernel itself drops the packet between the stages. `unclear`: the capture
 * kept too little of it.
 */
export const OUTCOMES = [
  "allow",
  "drop",
  "reject",
  "gate",
  "foreign",
  "malformed",
  "unclear",
  "notIp",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What became of all packets of a capture. */
export class Tally {
  readonly all: Count = nothing();
  readonly outcomes: Readonly<Record<Outcome, Count>>;
  /** Every rule and default, in the order in which packets meet them. */
  readonly rows: readonly CounterRow[];
  readonly #byRule: ReadonlyMap<string, CounterRow>;
  readonly #held: CounterRow = { stage: "firewall", rule: null, action: "held", count: nothing() };
  readonly #noRoute: CounterRow = { stage: "route", rule: null, action: "drop", count: nothing() };

  constructor(policy: Policy) {
    const { mitigate, firewall } = policy;
    const stages = [
      ...rowsOf("mitigate", mitigate, "allow"),
      ...rowsOf("firewall", firewall.rules, firewall.default),
    ];
    this.rows = [...stages, ...(firewall.stateful ? [this.#held] : []), this.#noRoute];
    this.#byRule = new Map(stages.map((row) => [nameOf(row.stage, row.rule?.name ?? null), row]));
    this.outcomes = {
      allow: nothing(),
      drop: nothing(),
      reject: nothing(),
      foreign: nothing(),
      gate: nothing(),
      malformed: nothing(),
      unclear: nothing(),
      notIp: nothing(),
    };
  }

  add({ outcome, trace, length }: Pick<Judged, "outcome" | "trace" | "length">): void {
    addTo(this.all, length);
    addTo(this.outcomes[outcome], length);
    if (trace) for (const row of this.#rowsOf(trace)) addTo(row.count, length);
  }

  #rowsOf(trace: Trace): readonly CounterRow[] {
    // A gate stands before the firewall.
    const reached = trace.gate ? (["mitigate"] as const) : STAGES;
    const counters = reached.flatMap((stage) =>
      countersOf(trace, stage).flatMap((rule) => this.#byRule.get(nameOf(stage, rule)) ?? []),
    );
    if (trace.gate) return counters;
    if (trace.held) return [...counters, this.#held];
    return trace.stage === "route" ? [...counters, this.#noRoute] : counters;
  }
}

const STAGES = ["mitigate", "firewall"] as const;

function rowsOf(
  stage: Stage,
  rules: readonly Rule[],
  byDefault: CounterRow["action"],
): readonly CounterRow[] {
  const named = rules.map(
    (rule): CounterRow => ({ stage, rule, action: rule.action.kind, count: nothing() }),
  );
  return [...named, { stage, rule: null, action: byDefault, count: nothing() }];
}

/** No rule's name holds a space. */
function nameOf(stage: Trace["stage"], rule: string | null): string {
  return rule === null ? `${stage} ` : `${stage} ${rule}`;
}

function nothing(): Count {
  return { packets: 0, bytes: 0 };
}

function addTo(count: Count, bytes: number): void {
  count.packets += 1;
  count.bytes += bytes;
}

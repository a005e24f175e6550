import { FIELDS, type FieldName, SLICE_PROTOCOLS } from "../../src/compiler/ir/fields.js";
import type { Stage } from "../../src/compiler/ir/policy.js";
import { SLOW } from "../../src/compiler/semantics/forward.js";
import { OPERATORS, type Operator } from "../support/language-comparison.js";
import { fieldsIn, isPlain } from "../support/language-conditions.js";

/** Where a stage is run in the kernel. */
export const TARGET_OF = { mitigate: "xdp", firewall: "nft" } as const satisfies Record<Stage, string>;

/** What a policy can have, of which a run counts the policies: each stands in one cell of a table. */
export interface Cell {
  readonly stage: Stage;
  /** A field, a function, what a rule does, or how a packet goes on. */
  readonly row: string;
  /** An operator; "rule" for what a rule does, "default" for what a stage does without one, "way" for what the fast path does. */
  readonly column: string;
}

const NUMERIC: readonly Operator[] = ["==", "!=", "<", "<=", ">", ">="];

const FUNCTIONS: readonly string[] = [
  ...[8, 16, 32].map((width) => `payload.u${width}`),
  ...Object.keys(SLICE_PROTOCOLS).map((protocol) => `bit_slice(${protocol})`),
];

/** docs/fields.md, "Operators". */
function operatorsOf(name: FieldName): readonly Operator[] {
  const field = FIELDS[name];
  switch (field.type) {
    case "flag":
      return ["is"];
    case "address":
      return ["==", "!=", "in", "in list"];
    case "country":
      return ["==", "!=", "in", "contains", "matches"];
    case "asnum":
      return [...NUMERIC, "in"];
    default: {
      const named: readonly Operator[] = name === "ip.proto" ? ["contains", "matches"] : [];
      return [...NUMERIC, "in", ...(isPlain(field) ? (["&"] as const) : []), ...named];
    }
  }
}

const ACTIONS = {
  mitigate: ["allow", "drop", "limit", "count"],
  firewall: ["allow", "drop", "reject", "limit", "count", "log"],
} as const satisfies Record<Stage, readonly string[]>;

const DEFAULTS = ["allow", "drop", "reject"];

/** What becomes of packets that XDP could send on: sent, or why not. */
export const SENT = "sent into a tunnel";
const WAYS: readonly string[] = [SENT, ...Object.values(SLOW)];

/** What is no comparison. */
const OTHERS: readonly string[] = ["rule", "default", "way"];

export function isComparison({ column }: Cell): boolean {
  return !OTHERS.includes(column);
}

/** Every cell that the language allows. */
export const CELLS: readonly Cell[] = (["mitigate", "firewall"] as const).flatMap((stage) => {
  const fields = fieldsIn(stage === "mitigate" ? stage : "stateful");
  const comparisons = [
    ...fields.flatMap((name) => operatorsOf(name).map((column) => ({ stage, row: name, column }))),
    ...FUNCTIONS.flatMap((row) => [...NUMERIC, "in", "&"].map((column) => ({ stage, row, column }))),
  ];
  const actions = ACTIONS[stage].map((row) => ({ stage, row, column: "rule" }));
  const ways = stage === "mitigate" ? WAYS.map((row) => ({ stage, row, column: "way" })) : [];
  const defaults = stage === "firewall" ? DEFAULTS.map((row) => ({ stage, row, column: "default" })) : [];
  return [...comparisons, ...actions, ...defaults, ...ways];
});

function keyOf({ stage, row, column }: Cell): string {
  return `${stage} ${row} ${column}`;
}

/** For how many policies each cell had a packet that hit it and one that missed. */
export class Coverage {
  readonly #policies = new Map<string, number>();

  add(cells: readonly Cell[]): void {
    for (const key of new Set(cells.map(keyOf))) this.#policies.set(key, this.#of(key) + 1);
  }

  /** Cells that the language allows and no policy had. */
  get empty(): readonly string[] {
    return CELLS.filter((cell) => this.#of(keyOf(cell)) === 0).map(
      ({ stage, row, column }) => `${TARGET_OF[stage]}: ${row} ${column}`,
    );
  }

  /** Lines: a row for each field and function with a column for each operator, then what rules and stages do. */
  table(): readonly string[] {
    const comparisons = CELLS.filter(isComparison);
    const others = CELLS.filter((cell) => !comparisons.includes(cell));
    return [...this.#grid(comparisons, OPERATORS), "", ...this.#grid(others, OTHERS)];
  }

  #grid(cells: readonly Cell[], columns: readonly string[]): readonly string[] {
    const rows = [...new Set(cells.map(({ row }) => row))];
    const lines = rows.map((row) => [row, ...columns.map((column) => this.#cell(cells, row, column))]);
    return aligned([["xdp/nft", ...columns], ...lines]);
  }

  /** The policies of either target, as in "31/28"; "-": not there; "": nowhere. */
  #cell(cells: readonly Cell[], row: string, column: string): string {
    const counts = (["mitigate", "firewall"] as const).map((stage) => {
      const allowed = cells.some(
        (cell) => cell.stage === stage && cell.row === row && cell.column === column,
      );
      return allowed ? `${this.#of(keyOf({ stage, row, column }))}` : "-";
    });
    return counts.every((count) => count === "-") ? "" : counts.join("/");
  }

  #of(key: string): number {
    return this.#policies.get(key) ?? 0;
  }
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

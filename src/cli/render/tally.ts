import pc from "picocolors";
import type { Policy } from "../../compiler/ir/policy.js";
import { type Count, type CounterRow, OUTCOMES, type Outcome, type Tally } from "../captures/tally.js";

/** The row of a table; all of it text, so that columns can be made as wide as they must be. */
type Cells = readonly [first: string, second: string, third: string, packets: string, bytes: string];

const MEANING: Readonly<Record<Outcome, string>> = {
  allow: "",
  drop: "",
  reject: "dropped, and the sender is told",
  foreign: "not to this customer's prefixes, left alone",
  gate: "dropped by the kernel itself, between the stages",
  malformed: "dropped before any rule",
  unclear: "the capture kept too little of them to judge them",
  notIp: "neither IPv4 nor IPv6, left alone",
};

/** The summary of a capture: what each rule decided, and what became of all packets. */
export function renderTally({ all, rows, outcomes }: Tally): string {
  const named = rows.filter((row) => row.stage !== "route" || row.count.packets > 0);
  const counters = table([
    ["stage", "rule", "action", "packets", "bytes"],
    ...named.map((row, index) => counterCells(row, named[index - 1]?.stage)),
  ]);
  const reached = OUTCOMES.filter((outcome) => outcomes[outcome].packets > 0);
  const verdicts = table([
    ["verdict", "", "", "packets", "bytes"],
    ...reached.map((outcome) => outcomeCells(outcome, outcomes[outcome])),
    ["all", "", "", String(all.packets), String(all.bytes)],
  ]);
  return [...counters, "", ...verdicts].join("\n");
}

function counterCells({ stage, rule, action, count }: CounterRow, above: string | undefined): Cells {
  const label = rule?.name ?? (stage === "route" ? "(no route)" : "(no rule)");
  return [stage === above ? "" : stage, label, action, String(count.packets), String(count.bytes)];
}

function outcomeCells(outcome: Outcome, { packets, bytes }: Count): Cells {
  const name = outcome === "notIp" ? "not IP" : outcome;
  return [name, MEANING[outcome], "", String(packets), String(bytes)];
}

/** Names to the left, numbers to the right. */
function table(rows: readonly Cells[]): readonly string[] {
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row, index) => {
    const cells = row.map((cell, column) =>
      column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    const line = `  ${cells.filter((_, column) => widths[column] !== 0).join("  ")}`;
    if (index === 0) return pc.bold(line);
    return row[3] === "0" ? pc.dim(line) : line;
  });
}

/** What `explain --pcap --json` prints (docs/explain.md). */
export function tallyJson({ all, rows, outcomes }: Tally, policy: Policy): object {
  const { gate, notIp, unclear, ...verdicts } = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, outcomes[outcome].packets]),
  );
  return {
    packets: all.packets,
    bytes: all.bytes,
    verdicts,
    gate,
    notIp,
    unclear,
    rules: rows.map(row(policy)),
  };
}

function row(policy: Policy): (row: CounterRow) => object {
  return ({ stage, rule, action, count }) => ({
    stage,
    rule: rule?.name ?? null,
    action,
    ...count,
    line: rule?.span.line ?? null,
    ...(rule && rule.span.file !== policy.span.file ? { file: rule.span.file } : {}),
  });
}

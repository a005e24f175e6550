/** A table for people; the same text is Markdown. */
export interface Table {
  readonly title: string;
  /** Numbers of a column are rounded to its digits. */
  readonly columns: readonly { readonly name: string; readonly digits?: number }[];
  /** A row may be shorter: the rest was not measured. */
  readonly rows: readonly (readonly Cell[])[];
}

/** null: not measured. */
export type Cell = string | number | null;

/** The table as Markdown with columns as wide as they must be: names to the left, numbers to the right. */
export function renderTable({ title, columns, rows }: Table): string {
  const texts = rows.map((row) =>
    columns.map(({ digits = 0 }, index) => cellText(row[index] ?? null, digits)),
  );
  const numeric = columns.map((_, index) => rows.some((row) => typeof row[index] === "number"));
  const widths = columns.map(({ name }, index) =>
    Math.max(3, name.length, ...texts.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, index) => {
      const width = widths[index] ?? 0;
      return numeric[index] ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, index) =>
    numeric[index] ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const lines = [line(columns.map(({ name }) => name)), line(rule), ...texts.map(line)];
  return `### ${title}\n\n${lines.join("\n")}\n`;
}

function cellText(cell: Cell, digits: number): string {
  if (cell === null) return "–";
  if (typeof cell === "string") return cell;
  return Number.isFinite(cell) ? cell.toFixed(digits) : "–";
}

import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** The two ends of a tunnel, and what it is. */
export interface Ends {
  readonly edge: string;
  readonly router: string;
  readonly tunnel: string;
}

/** What is tried between them, one family after the other. */
export const ATTEMPTS = ["ping", "fragments", "too big", "TCP"] as const;
export type Attempt = (typeof ATTEMPTS)[number];

export interface InteropRow extends Ends {
  /** `IPv4 ping` → how it went. What was begun and did not come to its end has `FAILED`. */
  readonly went: Record<string, string>;
}

/** Where the rows go, for `npm run test:vm`, which prints those of all kernels as one table; without, nowhere. */
const file = process.env["TIDEGATE_INTEROP"];

const rows: InteropRow[] = [];

/** A row for these ends. `tell` it what went well; the rest of what it `tries` has failed. */
export class InteropLine {
  readonly #row: InteropRow;

  constructor(ends: Ends, tries: readonly Attempt[]) {
    const all = (["IPv4", "IPv6"] as const).flatMap((family) => tries.map((what) => `${family} ${what}`));
    this.#row = { ...ends, went: Object.fromEntries(all.map((what) => [what, "FAILED"])) };
    rows.push(this.#row);
    save();
  }

  /** `word` says how; what went well in one direction before is kept. */
  tell(family: "IPv4" | "IPv6", what: Attempt, word: string): void {
    const { went } = this.#row;
    const column = `${family} ${what}`;
    const before = went[column];
    went[column] = before === undefined || before === "FAILED" ? word : `${before}${word}`;
    save();
  }
}

/** Files that did not share this module have rows there, too. */
function save(): void {
  if (!file) return;
  const mine = new Set(rows.map(nameOf));
  const others = readInterop(file).filter((row) => !mine.has(nameOf(row)));
  writeFileSync(file, JSON.stringify([...others, ...rows]));
}

const nameOf = ({ edge, router, tunnel }: Ends): string => `${edge} ${router} ${tunnel}`;

/** The rows that tests left in a file. */
export function readInterop(path: string): readonly InteropRow[] {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as readonly InteropRow[]) : [];
}

import type pc from "picocolors";
import type { Applied } from "../../../runtime/apply.js";
import { printable } from "./underline.js";

type Colors = ReturnType<typeof pc.createColors>;

export interface AppliedView {
  readonly json: boolean;
  readonly colors: Colors;
  /** Who did it, if it was not this process. */
  readonly by?: string;
}

/** What was made of a bundle, in one line. */
export function renderApplied(applied: Applied, { json, colors, by }: AppliedView): string {
  if (json) return JSON.stringify(applied);
  const { customer, changed, generation, hash, drift } = applied;
  const which = `${colors.green("ok")} ${customer} generation ${generation} ${colors.dim(hash.slice(0, 12))}`;
  if (!changed) return `${which}: nothing to change`;
  const mended = drift.length === 0 ? "" : `; mended: ${drift.join(", ")}`;
  return `${which}: in force${by === undefined ? "" : `, by ${by}`}${mended}`;
}

/** What is in force and yet not as it should be, two lines each; with `--json` it is part of the object. */
export function renderWarnings({ warnings }: Applied, { json, colors }: AppliedView): readonly string[] {
  if (json) return [];
  return warnings.flatMap(({ code, message, hint }) => [
    `${colors.yellow(colors.bold(`warning[${code}]`))}: ${printable(message)}`,
    `  ${colors.green("hint:")} ${printable(hint)}`,
  ]);
}

/** What an operator should know who takes unsigned bundles. */
export function unsignedNote(colors: Colors): string {
  const text =
    "note: unsigned bundles are taken here; `keys` in edge.ts says whom to trust (docs/security.md)";
  return colors.dim(text);
}

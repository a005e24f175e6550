export type Severity = "error" | "warning" | "note";

/** The parameters that a message names; each must be given when the code is raised. */
export type Params<Name extends string> = Readonly<Record<Name, string | number>>;

/** One row of the catalogue. */
export interface Entry<Name extends string> {
  readonly severity: Severity;
  readonly message: (params: Params<Name>) => string;
  /** What `tidegate explain-code` prints: why it is a mistake, and what to write instead. */
  readonly explanation: string;
  /** What to do, in one line, where the place of the mistake suggests nothing better. */
  readonly hint: string | null;
}

/** A message template whose `${"name"}` holes become typed parameters. */
export function message<Names extends readonly string[]>(
  text: TemplateStringsArray,
  ...names: Names
): (params: Params<Names[number]>) => string {
  return (params) =>
    text.reduce((done, piece, index) => {
      const name = names[index - 1] as Names[number];
      return `${done}${params[name]}${piece}`;
    });
}

function row(severity: Severity) {
  return <Name extends string>(
    format: (params: Params<Name>) => string,
    explanation: string,
    hint?: string,
  ): Entry<Name> => ({ severity, message: format, explanation, hint: hint ?? null });
}

export const error = row("error");
export const warning = row("warning");
export const note = row("note");

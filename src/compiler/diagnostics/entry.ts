export type Severity = "error" | "warning" | "note";

/** The parameters that a message names; each must be given when the code is raised. */
export type Params<Name extends string> = Readonly<Record<Name, string | number>>;

/** A mistake and the same put right, as `tidegate explain-code` shows them. */
export interface Example {
  readonly of: Whole;
  readonly wrong: string;
  readonly right: string;
}

/**
 * What the two texts of an example are a piece of: an expression (without its backticks), properties of a `policy`
 * or an `edge`, statements of a policy file, or a whole file. A test completes them and holds them to what they
 * claim. A sketch is too long to be written out, or about a machine and not a text: it is only read.
 */
export type Whole = "expression" | "policy" | "edge" | "statements" | "file" | "sketch";

/** One row of the catalogue. */
export interface Entry<Name extends string> {
  readonly severity: Severity;
  readonly message: (params: Params<Name>) => string;
  /** What `tidegate explain-code` prints: why it is a mistake, and what to write instead. */
  readonly explanation: string;
  readonly example: Example;
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

export function example(of: Whole, wrong: string, right: string): Example {
  return { of, wrong, right };
}

function row(severity: Severity) {
  return <Name extends string>(
    format: (params: Params<Name>) => string,
    explanation: string,
    shown: Example,
    hint?: string,
  ): Entry<Name> => ({ severity, message: format, explanation, example: shown, hint: hint ?? null });
}

export const error = row("error");
export const warning = row("warning");
export const note = row("note");

/** A bug that somebody could have written: one place of one file, in other words. */
export interface Mutation {
  readonly name: string;
  /** From the project's folder. */
  readonly file: string;
  /** What is wrong then, in a line. */
  readonly models: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** Test files that ought to find it, from the project's folder: tried first, and together. */
  readonly killers: readonly string[];
}

export type Row = Pick<Mutation, "name" | "models" | "from" | "to"> & {
  /** Besides those of the file. */
  readonly killers?: readonly string[];
};

/** Mutations of one file. Killers are named without `test/` and `.test.ts`. */
export function inFile(file: string, killers: readonly string[], rows: readonly Row[]): readonly Mutation[] {
  return rows.map(({ killers: own = [], ...row }) => ({
    ...row,
    file,
    killers: [...own, ...killers].map((killer) => `test/${killer}.test.ts`),
  }));
}

/** The file's text with the mutation, or why there is none. */
export function mutated(
  { file, from, to }: Mutation,
  text: string,
): { readonly text: string } | { readonly problem: string } {
  const [before, after, ...more] = text.split(from);
  if (before === undefined || after === undefined) return { problem: `${file} does not say: ${from}` };
  if (more.length > 0) return { problem: `${file} says ${more.length + 1} times: ${from}` };
  return { text: before + to + after };
}

/**
 * How modules reach the reader, which itself does no I/O. A host decides what a policy may import: it must keep
 * imports inside the policy's project folder and give out nothing but `.ts` and `.json`.
 */
export interface ModuleHost {
  /** The module that a relative import names. `from` is the `file` of the module that imports it. */
  resolve(specifier: string, from: string): Resolution;
}

export type Resolution =
  /** `file`: one name for one file, however it was reached. */
  | { readonly kind: "module"; readonly file: string; readonly text: string }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

export type RefusalReason =
  /** `names`: what could have been meant, as it would be written in the import. */
  | { readonly kind: "missing"; readonly names: readonly string[] }
  /** `through`: the path itself stays inside, but a symbolic link leads out. */
  | { readonly kind: "outside"; readonly through: "path" | "link" }
  /** Not a module of TypeScript or JSON, too large, not text, …: `why` completes "cannot be imported: it is". */
  | { readonly kind: "unfit"; readonly why: string };

/** For text that stands in no project, such as an example: nothing can be imported. */
export const NO_MODULES: ModuleHost = {
  resolve: () => ({ kind: "refused", reason: { kind: "missing", names: [] } }),
};

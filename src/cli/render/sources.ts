import type { SourceFile } from "../../compiler/diagnostics/span.js";

/** The text of a file that a diagnostic points into, if it is known. */
export type Sources = (file: string) => SourceFile | undefined;

export function sourcesOf(files: Iterable<SourceFile>): Sources {
  const byName = new Map([...files].map((source) => [source.file, source]));
  return (file) => byName.get(file);
}

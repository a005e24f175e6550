import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { sha256 } from "../../../runtime/hash.js";
import type { ModuleHost } from "../../dsl/modules.js";
import { nodeConfigSchema } from "../../targets/manifest.js";
import { projectModules } from "../io/project.js";
import { readSource } from "../io/read-source.js";
import { packageRoot } from "../package-root.js";

const importSchema = z.strictObject({
  specifier: z.string(),
  /** The module that imports it, and the one that it was, by their names in messages. */
  from: z.string(),
  file: z.string(),
  /** Of its text. */
  sha256: z.string(),
});

export const readingSchema = z.strictObject({
  /** The compiler that read it: the hash of all its code. */
  build: z.string(),
  /** The edge.ts as it was named, and the hash of its text. */
  file: z.string(),
  sha256: z.string(),
  /** What it asked for, and was given: in this order, as a name is known by who asked for it first. */
  imports: z.array(importSchema),
  config: nodeConfigSchema,
});
/**
 * An edge.ts without errors: what it was read from, and what it says. A reading depends on nothing but the compiler, the text
 * and the modules that imports lead to, so that where these are the same it need not be read again.
 */
export type EdgeReading = z.infer<typeof readingSchema>;
export type EdgeImport = EdgeReading["imports"][number];

/** Would this file be read to the same now? Its imports are resolved anew, by the same rules; no compiler is needed. */
export function isCurrent(reading: EdgeReading, file: string): boolean {
  if (reading.file !== file || reading.build !== buildHash()) return false;
  if (reading.sha256 !== sha256(readSource(file))) return false;
  const modules = projectModules();
  return reading.imports.every((one) => {
    const found = modules.resolve(one.specifier, one.from);
    return found.kind === "module" && found.file === one.file && sha256(found.text) === one.sha256;
  });
}

/** A host that notes what it gave out. */
export function noting(modules: ModuleHost, imports: EdgeImport[]): ModuleHost {
  return {
    resolve(specifier, from) {
      const found = modules.resolve(specifier, from);
      if (found.kind === "module")
        imports.push({ specifier, from, file: found.file, sha256: sha256(found.text) });
      return found;
    },
  };
}

/**
 * The hash of the built command that this process runs, as scripts/bundle.mjs has written it; null where it has not been built. A
 * daemon keeps its own, whatever is installed later: what it was started with is what it runs.
 */
export function buildHash(): string | null {
  return BUILD;
}

const BUILD = readBuild();

function readBuild(): string | null {
  try {
    return readFileSync(join(packageRoot(), "dist/bin/build"), "utf8").trim();
  } catch {
    return null;
  }
}

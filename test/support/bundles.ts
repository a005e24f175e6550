import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleFiles } from "../../src/cli/commands/compile.js";
import { writeBundle } from "../../src/cli/io/write-bundle.js";
import { emit } from "../../src/compiler/compile.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { type Manifest, manifestSchema } from "../../src/targets/manifest.js";

/** Compiles a policy given as IR into `folder`, as `tidegate compile` does; gives the folder. */
export function writePolicyBundle(policy: Policy, folder: string): string {
  const source = new SourceFile(`${policy.customer}.policy.ts`, "");
  writeBundle(
    folder,
    bundleFiles({ policy, written: [], source, sources: new Map(), diagnostics: [] }, emit(policy)),
  );
  return folder;
}

export function readManifest(folder: string): Manifest {
  return manifestSchema.parse(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")));
}

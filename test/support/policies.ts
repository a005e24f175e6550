import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { analyze } from "../../src/compiler/compile.js";
import type { Diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { analyzeCase, readCase } from "./cases.js";

const ROOT = join(import.meta.dirname, "../..");

export interface NamedPolicy {
  readonly name: string;
  readonly file: string;
}

/** Every policy of examples and test/cases that can be compiled, by its folder's name. */
export function policyFiles(): readonly NamedPolicy[] {
  return ["examples", "test/cases"].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => !name.startsWith("mistakes-"))
      .map((name) => ({ name, file: `${folder}/${name}/${name}.policy.ts` }))
      .filter(({ file }) => existsSync(join(ROOT, file))),
  );
}

/** The IR of a policy of `policyFiles`; throws with its errors when it has some. */
export function readPolicyFile(file: string): Policy {
  const folder = join(ROOT, dirname(file));
  return ofAnalysis(analyzeCase(readCase(folder)));
}

/** The IR of a policy's text. */
export function policyOf(text: string, file = "test.policy.ts"): Policy {
  return ofAnalysis(analyze(file, text));
}

function ofAnalysis({ policy, diagnostics }: Analysed): Policy {
  if (policy) return policy;
  const lines = diagnostics.map(({ code, span, message }) => `${code} ${span.file}:${span.line} ${message}`);
  throw new Error(lines.join("\n"));
}

interface Analysed {
  readonly policy: Policy | null;
  readonly diagnostics: readonly Diagnostic[];
}

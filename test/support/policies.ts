import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { analyze } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";

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

/** The IR of a policy file; throws with its errors when it has some. */
export function readPolicyFile(file: string): Policy {
  return policyOf(readFileSync(join(ROOT, file), "utf8"), file);
}

/** The IR of a policy's text. */
export function policyOf(text: string, file = "test.policy.ts"): Policy {
  const { policy, diagnostics } = analyze(file, text);
  if (!policy)
    throw new Error(diagnostics.map((d) => `${d.code} ${file}:${d.span.line} ${d.message}`).join("\n"));
  return policy;
}

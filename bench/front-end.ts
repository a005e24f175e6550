import { Diagnostics } from "../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../src/compiler/diagnostics/span.js";
import type { Policy } from "../src/compiler/ir/policy.js";
import { buildPolicy } from "../src/compiler/passes/build-policy.js";
import { readModule } from "../src/dsl/read-module.js";

/** The meaning of a policy's text, without asking any target whether it can express it. Throws its errors. */
export function readPolicyText(file: string, text: string): Policy {
  const diagnostics = new Diagnostics();
  const { content } = readModule("policy", new SourceFile(file, text), diagnostics);
  const policy = content.kind === "policy" ? buildPolicy(content.policy, diagnostics) : undefined;
  if (policy) return policy;
  const errors = diagnostics.all.filter(({ severity }) => severity === "error");
  throw new Error(
    errors.map(({ code, span, message }) => `${code} ${file}:${span.line} ${message}`).join("\n"),
  );
}

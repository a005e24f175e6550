import { readEdge } from "../dsl/read-edge.js";
import { readPolicy } from "../dsl/read-policy.js";
import { TARGETS } from "../targets/registry.js";
import type { Artifact } from "../targets/target.js";
import { type Diagnostic, Diagnostics } from "./diagnostics/diagnostic.js";
import { SourceFile } from "./diagnostics/span.js";
import type { Suppressed } from "./diagnostics/suppressions.js";
import type { EdgeNode } from "./ir/edge.js";
import type { Policy } from "./ir/policy.js";
import { buildEdge } from "./passes/build-edge.js";
import { buildPolicy } from "./passes/build-policy.js";

/** What is known of a policy file; `policy` is null if `diagnostics` has errors. */
export interface Analysis {
  readonly policy: Policy | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
  readonly source: SourceFile;
}

/** What is known of an edge file; `edge` is null if `diagnostics` has errors. */
export interface EdgeAnalysis {
  readonly edge: EdgeNode | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
  readonly source: SourceFile;
}

/** Reads a policy, gives it its meaning, and asks every target whether it can express it. */
export function analyze(file: string, text: string): Analysis {
  const source = new SourceFile(file, text);
  const diagnostics = new Diagnostics();
  const surface = readPolicy(source, diagnostics);
  const policy = surface && buildPolicy(surface, diagnostics);
  if (policy) for (const target of TARGETS) target.check(policy, diagnostics);
  const { all, suppressed } = diagnostics;
  return { policy: policy && !diagnostics.hasErrors ? policy : null, diagnostics: all, suppressed, source };
}

/** All text that an analysed policy becomes. Same policy, same bytes. */
export function emit(policy: Policy): readonly Artifact[] {
  return TARGETS.flatMap((target) => target.emit(policy));
}

/** Reads an edge file and gives it its meaning. */
export function analyzeEdge(file: string, text: string): EdgeAnalysis {
  const source = new SourceFile(file, text);
  const diagnostics = new Diagnostics();
  const surface = readEdge(source, diagnostics);
  const edge = surface && buildEdge(surface, diagnostics);
  const { all, suppressed } = diagnostics;
  return { edge: edge ?? null, diagnostics: all, suppressed, source };
}

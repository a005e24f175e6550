import type { ModuleHost } from "../dsl/modules.js";
import { type ModuleKind, readModule } from "../dsl/read-module.js";
import type { SurfaceEdge, SurfacePolicy, SurfaceRule } from "../dsl/surface.js";
import { TARGETS, withinRoom } from "../targets/registry.js";
import type { Artifact } from "../targets/target.js";
import { type Diagnostic, Diagnostics } from "./diagnostics/diagnostic.js";
import { invariant } from "./diagnostics/invariant.js";
import { SourceFile } from "./diagnostics/span.js";
import type { Suppressed } from "./diagnostics/suppressions.js";
import type { EdgeNode } from "./ir/edge.js";
import type { Geography } from "./ir/geography.js";
import type { Policy } from "./ir/policy.js";
import { buildEdge } from "./passes/build-edge.js";
import { buildPolicy } from "./passes/build-policy.js";
import { allRules } from "./passes/filters.js";
import { reportShadows } from "./passes/shadows.js";
import { reportTogether } from "./passes/together.js";
import { reportTooBig } from "./passes/too-big.js";
import { checkUnused } from "./passes/unused.js";

/** What an analysis says of a file, whatever it is. */
interface Findings {
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
  readonly source: SourceFile;
  /** The file and all that it imports, by name. */
  readonly sources: ReadonlyMap<string, SourceFile>;
}

/** What is known of a policy file; `policy` is null if `diagnostics` has errors. */
export interface Analysis extends Findings {
  readonly policy: Policy | null;
  /** The policy's rules as they were written; none where the file is no policy. */
  readonly written: readonly SurfaceRule[];
}

/** What is known of an edge file; `edge` is null if `diagnostics` has errors. */
export interface EdgeAnalysis extends Findings {
  readonly edge: EdgeNode | null;
}

/** Reads a policy, gives it its meaning, and asks every target whether it can express it. */
export function analyze(file: string, text: string, modules?: ModuleHost, geography?: Geography): Analysis {
  const { policy, written, findings } = found(readAs("policy", { file, text }, { modules, geography }));
  return { policy, written, ...findings };
}

/** Reads an edge file and gives it its meaning. */
export function analyzeEdge(file: string, text: string, modules?: ModuleHost): EdgeAnalysis {
  const { edge, findings } = found(readAs("edge", { file, text }, { modules }));
  return { edge, ...findings };
}

/** Reads a file that is a policy or an edge: what it exports decides. At most one of the two is not null. */
export function analyzeAny(
  file: string,
  text: string,
  modules?: ModuleHost,
  geography?: Geography,
): Analysis & EdgeAnalysis {
  const [only] = analyzeTogether([{ file, text }], modules, geography);
  invariant(only, "each text has its analysis");
  return only;
}

/** Reads files that are policies or edges, and holds them against one another, as if all were to run on one server. */
export function analyzeTogether(
  files: readonly Named[],
  modules?: ModuleHost,
  geography?: Geography,
): readonly (Analysis & EdgeAnalysis)[] {
  const read = files.map((file) => readAs("any", file, { modules, geography, remarks: true }));
  const policies = read.flatMap(({ policy, diagnostics }) => (policy ? [{ policy, diagnostics }] : []));
  const edges = read.flatMap(({ edge }) => edge ?? []);
  reportTogether(policies, edges);
  return read.map((one) => {
    const { policy, written, edge, findings } = found(one);
    return { policy, written, edge, ...findings };
  });
}

/** A text, and what it is called. */
export interface Named {
  readonly file: string;
  readonly text: string;
}

/** What an analysis knows besides the file: what it may import, and the operator's tables. */
interface Around {
  readonly modules?: ModuleHost | undefined;
  readonly geography?: Geography | undefined;
  /** Whether rules are held against one another too: what only remarks come of. */
  readonly remarks?: boolean;
}

/** A file as far as it is known by itself. */
interface Read {
  readonly policy: Policy | null;
  readonly written: readonly SurfaceRule[];
  readonly edge: EdgeNode | null;
  readonly diagnostics: Diagnostics;
  readonly source: SourceFile;
  readonly sources: ReadonlyMap<string, SourceFile>;
}

function readAs(
  kind: ModuleKind | "any",
  { file, text }: Named,
  { modules, geography, remarks }: Around,
): Read {
  const source = new SourceFile(file, text);
  const diagnostics = new Diagnostics();
  const { content, made, sources } = readModule(kind, source, diagnostics, modules);
  const written = content.kind === "policy" ? allRules(content.policy) : [];
  checkUnused(made, written, diagnostics);
  const policy = content.kind === "policy" ? policyOf(content.policy, diagnostics, geography) : null;
  if (policy && content.kind === "policy" && remarks) {
    reportShadows(policy, diagnostics);
    reportTooBig(policy, content.policy, diagnostics);
  }
  const edge = content.kind === "edge" ? edgeOf(content.edge, diagnostics) : null;
  return { policy, written, edge, diagnostics, source, sources };
}

function found({ policy, written, edge, diagnostics, source, sources }: Read) {
  const { all, suppressed } = diagnostics;
  return { policy, written, edge, findings: { diagnostics: all, suppressed, source, sources } };
}

function policyOf(surface: SurfacePolicy, diagnostics: Diagnostics, geography?: Geography): Policy | null {
  const policy = buildPolicy(surface, diagnostics, geography);
  if (policy) for (const target of TARGETS) target.check(policy, diagnostics);
  return policy && !diagnostics.hasErrors ? withinRoom(policy) : null;
}

function edgeOf(surface: SurfaceEdge, diagnostics: Diagnostics): EdgeNode | null {
  return buildEdge(surface, diagnostics) ?? null;
}

/** All text that an analysed policy becomes. Same policy, same bytes. */
export function emit(policy: Policy): readonly Artifact[] {
  return TARGETS.flatMap((target) => target.emit(policy));
}

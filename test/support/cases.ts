import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { z } from "zod";
import { projectModules } from "../../src/cli/io/project.js";
import { readGeography } from "../../src/cli/io/read-geography.js";
import { checkTypes } from "../../src/cli/types/check-types.js";
import { analyzeAny } from "../../src/compiler/compile.js";
import type { Diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../../src/compiler/diagnostics/span.js";
import type { EdgeNode } from "../../src/compiler/ir/edge.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import type { ModuleHost } from "../../src/dsl/modules.js";

export const CASES = join(import.meta.dirname, "../cases");

/** How a case is read, in the `case.json` beside it. */
const options = z.strictObject({
  /** Whether TypeScript's type checker is asked too. */
  types: z.boolean().default(false),
  /** The operator's tables, by the name of their file. */
  geography: z.string().optional(),
  /** The targets whose text is kept beside the IR. */
  targets: z.array(z.enum(["xdp", "nft", "route"])).default([]),
});

export interface Case {
  readonly name: string;
  readonly folder: string;
  /** NAME.policy.ts, or edge.ts. */
  readonly file: string;
  readonly options: z.infer<typeof options>;
}

export interface CaseAnalysis {
  readonly policy: Policy | null;
  readonly edge: EdgeNode | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, SourceFile>;
}

export function readCases(): readonly Case[] {
  return readdirSync(CASES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readCase(join(CASES, name)));
}

/** The folder of a policy, with what stands in its `case.json`, if there is one. */
export function readCase(folder: string): Case {
  const name = basename(folder);
  const policy = `${name}.policy.ts`;
  const json = join(folder, "case.json");
  return {
    name,
    folder,
    file: existsSync(join(folder, policy)) ? policy : "edge.ts",
    options: options.parse(existsSync(json) ? JSON.parse(readFileSync(json, "utf8")) : {}),
  };
}

/** As `tidegate check` does, and with files named from their own folder, so that it is the same on every machine. */
export function analyzeCase({ folder, file, options }: Case): CaseAnalysis {
  const modules = modulesOf(folder);
  const geography =
    options.geography === undefined ? undefined : readGeography(join(folder, options.geography));
  const text = readFileSync(join(folder, file), "utf8");
  const { source, ...read } = analyzeAny(file, text, modules, geography);
  if (!options.types) return read;
  const typed = checkTypes([source], modules, read.diagnostics);
  const isWhole = typed.diagnostics.length === 0;
  return {
    policy: isWhole ? read.policy : null,
    edge: isWhole ? read.edge : null,
    diagnostics: [...read.diagnostics, ...typed.diagnostics],
    sources: new Map([...typed.sources, ...read.sources]),
  };
}

function modulesOf(folder: string): ModuleHost {
  const host = projectModules();
  return {
    resolve: (specifier, from) => {
      const found = host.resolve(specifier, join(folder, from));
      return found.kind === "module" ? { ...found, file: relative(folder, found.file) } : found;
    },
  };
}

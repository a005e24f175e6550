import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { type Mutation, mutated } from "./mutation.js";

/**
 * What TypeScript has against the mutations: one that it refuses is no bug that could reach a test. As many files at once
 * as have one each.
 */
export function typeProblems(project: string, mutations: readonly Mutation[]): readonly string[] {
  const { fileNames, options } = readConfig(project);
  const problems: string[] = [];
  const unchanged = new Map<string, ts.SourceFile | undefined>();
  for (const round of rounds(mutations.filter(({ file }) => file.endsWith(".ts")))) {
    const texts = new Map(
      round.map((mutation) => [join(project, mutation.file), textWith(mutation, project)]),
    );
    const host = ts.createCompilerHost(options, true);
    const getSourceFile = host.getSourceFile.bind(host);
    host.getSourceFile = (file, language) => {
      const text = texts.get(file);
      if (text !== undefined) return ts.createSourceFile(file, text, language, true);
      if (!unchanged.has(file)) unchanged.set(file, getSourceFile(file, language));
      return unchanged.get(file);
    };
    const program = ts.createProgram({ rootNames: fileNames, options, host });
    for (const mutation of round) problems.push(...problemsOf(program, mutation, project));
  }
  return problems;
}

function readConfig(project: string): ts.ParsedCommandLine {
  const file = join(project, "tsconfig.json");
  const { config } = ts.readConfigFile(file, (path) => readFileSync(path, "utf8"));
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, dirname(file));
  return { ...parsed, options: { ...parsed.options, noEmit: true } };
}

/** The first mutation of each file, then the second of each, and so on. */
function rounds(mutations: readonly Mutation[]): readonly (readonly Mutation[])[] {
  const rounds: Mutation[][] = [];
  for (const mutation of mutations) {
    const free = rounds.find((round) => round.every(({ file }) => file !== mutation.file));
    if (free) free.push(mutation);
    else rounds.push([mutation]);
  }
  return rounds;
}

function textWith(mutation: Mutation, project: string): string {
  const change = mutated(mutation, readFileSync(join(project, mutation.file), "utf8"));
  if ("problem" in change) throw new Error(`${mutation.name}: ${change.problem}`);
  return change.text;
}

function problemsOf(program: ts.Program, { name, file }: Mutation, project: string): readonly string[] {
  const source = program.getSourceFile(join(project, file));
  if (!source) return [`${name}: ${file} is not part of the program`];
  const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return diagnostics.map(
    ({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
  );
}

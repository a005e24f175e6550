import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { packageRoot } from "../../src/cli/package-root.js";
import { CATALOGUE } from "../../src/compiler/diagnostics/catalogue/index.js";
import { tryExample } from "../support/examples.js";
import type { FuzzInput } from "./input.js";

/** Real policies, which mutations start from: all that stand in the repository, and what a new project gets. */
const FOLDERS = ["examples", "test/cases", "test/hostile", "templates/project"];
/** A mutation of a larger one would spend the time of ten others. */
const MOST_CHARACTERS = 20_000;

export function realPolicies(): readonly FuzzInput[] {
  const root = packageRoot();
  const written = FOLDERS.flatMap((folder) => policiesIn(join(root, folder)));
  return [...written, ...examplesOfCodes()].filter(({ main }) => main.length <= MOST_CHARACTERS);
}

function policiesIn(folder: string): readonly FuzzInput[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return files
    .filter((file) => file.endsWith(".policy.ts") || basename(file) === "edge.ts")
    .map((file) => readProject(join(folder, file)));
}

/** A policy file, with the modules and JSON files that lie beside it or below. */
export function readProject(file: string): FuzzInput {
  const folder = dirname(file);
  const main = readFileSync(file, "utf8");
  const specifiers = [...main.matchAll(/from "\.\/([\w./-]+)"/g)].map(([, name = ""]) => name);
  const names = specifiers.map((name) => name.replace(/\.js$/, ".ts"));
  const modules = names.flatMap((name) => {
    const text = readIfThere(join(folder, name));
    return text === undefined ? [] : [[name, text] as const];
  });
  return { kind: "real", main, modules: Object.fromEntries(modules) };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** The wrong and the right text of every diagnostic: together they touch all of the language. */
function examplesOfCodes(): readonly FuzzInput[] {
  return Object.values(CATALOGUE).flatMap(({ example: { of, wrong, right } }) =>
    [wrong, right].flatMap((snippet) => {
      const text = tryExample(of, snippet)?.text;
      return text === undefined ? [] : [{ kind: "real", main: text, modules: {} }];
    }),
  );
}

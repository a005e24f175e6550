import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";
import { version } from "../version.js";

export interface ProjectFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** What the template's files call the customer. */
const PLACEHOLDER = "example";

/**
 * The files of a first project, from templates/project: a policy with its tests, a list beside it, and what an editor
 * needs to complete it. The types are a copy, so that they are there offline, in CI, and wherever Tidegate is installed.
 */
export function projectFiles(customer: string): readonly ProjectFile[] {
  const policy = `${PLACEHOLDER}.policy.ts`;
  const named = (file: string) =>
    template(file).replaceAll(new RegExp(`\\b${PLACEHOLDER}\\b`, "g"), customer);
  return [
    { path: `${customer}.policy.ts`, text: named(policy) },
    { path: "lists/blocked.json", text: template("lists/blocked.json") },
    { path: "types/tidegate.d.ts", text: typesOfTidegate() },
    { path: "tsconfig.json", text: template("tsconfig.json") },
    { path: "package.json", text: named("package.json") },
    { path: "README.md", text: named("README.md") },
    { path: ".gitignore", text: template("gitignore") },
  ];
}

function template(file: string): string {
  return readFileSync(join(packageRoot(), "templates/project", file), "utf8");
}

function typesOfTidegate(): string {
  const types = readFileSync(join(packageRoot(), "dist/src/dsl/authoring.d.ts"), "utf8");
  return `// The types of tidegate ${version()}, for editors and tsc. Made by \`tidegate init\`; do not edit.\n${types}`;
}

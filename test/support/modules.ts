import { posix } from "node:path";
import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import type { ModuleHost } from "../../src/dsl/modules.js";
import { readModule } from "../../src/dsl/read-module.js";
import type { SurfacePolicy } from "../../src/dsl/surface.js";
import { IMPORTS } from "./read.js";

/** Files by name, as a project; "x.js" is x.ts. */
export function hostOf(files: Readonly<Record<string, string>>): ModuleHost {
  return {
    resolve: (specifier, from) => {
      const file = posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
      const text = files[file];
      return text === undefined
        ? {
            kind: "refused",
            reason: { kind: "missing", names: Object.keys(files).map((name) => `./${name}`) },
          }
        : { kind: "module", file, text };
    },
  };
}

/** A diagnostic as a reader sees it: what is underlined, in which file, and what its labels point at. */
export interface Reported {
  readonly code: string;
  readonly at: string;
  readonly hint: string | null;
  readonly related: readonly string[];
}

/** Reads main.policy.ts, which is `main` behind the imports of "tidegate", with other files beside it. */
export function readProject(
  main: string,
  files: Readonly<Record<string, string>> = {},
): { readonly policy: SurfacePolicy | undefined; readonly reported: readonly Reported[] } {
  const diagnostics = new Diagnostics();
  const source = new SourceFile("main.policy.ts", `${IMPORTS}${main}`);
  const all = { ...files, "main.policy.ts": source.text };
  const { content, sources } = readModule("policy", source, diagnostics, hostOf(all));
  const under = ({ file, start, end }: { file: string; start: number; end: number }) =>
    `${file} ${sources.get(file)?.text.slice(start, end) ?? "?"}`;
  const reported = diagnostics.all.map(({ code, span, hint, related }) => ({
    code,
    at: under(span),
    hint,
    related: related.map((label) => `${under(label.span)}: ${label.text}`),
  }));
  return { policy: content.kind === "policy" ? content.policy : undefined, reported };
}

/** A policy around a customer's name, which can be any expression with a text. */
export function policyOf(customer: string): string {
  return `export default policy({ customer: ${customer}, prefixes: [], firewall: { default: "drop", rules: [] } });`;
}

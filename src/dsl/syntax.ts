import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { type Diagnostic, Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import { exprNames, exprTemplates, holesOf } from "./expr-templates.js";
import type { Filter } from "./filter/ast.js";
import { parseFilter } from "./filter/parse.js";
import type { FilterTemplate } from "./filter/template.js";
import { parseModule } from "./parse-module.js";

/** A module by its syntax alone: nothing in it is evaluated, and nothing that it imports is read. */
export interface ModuleSyntax {
  readonly source: SourceFile;
  readonly program: TSESTree.Program;
  /** What the module calls `expr`. */
  readonly exprNames: ReadonlySet<string>;
  /** Each with unknown parts where it holds interpolations, whose values only evaluating the module tells. */
  readonly expressions: readonly Filter[];
}

export type SyntaxReading =
  | { readonly kind: "read"; readonly syntax: ModuleSyntax }
  | { readonly kind: "unreadable"; readonly diagnostics: readonly Diagnostic[] };

/** The syntax of a module and of the expressions in it, or what is wrong with them (TG1xxx). */
export function readSyntax(source: SourceFile): SyntaxReading {
  const diagnostics = new Diagnostics();
  const program = parseModule(source, diagnostics);
  if (!program) return { kind: "unreadable", diagnostics: diagnostics.all };
  const expressions = exprTemplates(program).map(({ quasi }) =>
    parseFilter(unvalued(quasi, source), diagnostics),
  );
  if (diagnostics.hasErrors) return { kind: "unreadable", diagnostics: diagnostics.all };
  return { kind: "read", syntax: { source, program, exprNames: exprNames(program), expressions } };
}

/** A template whose interpolations may be anything. */
function unvalued(template: TSESTree.TemplateLiteral, source: SourceFile): FilterTemplate {
  const [start, end] = template.range;
  const holes = holesOf(template).map((hole) => ({ ...hole, value: { kind: "unknown" } as const }));
  return { source, start: start + 1, end: end - 1, holes };
}

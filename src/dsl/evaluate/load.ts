import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { SourceFile } from "../../compiler/diagnostics/span.js";
import { reportInvisible } from "../invisible.js";
import type { RefusalReason } from "../modules.js";
import { parseModule } from "../parse-module.js";
import { readSuppressions } from "../suppressions.js";
import type { Evaluation } from "./evaluation.js";
import { readJson } from "./json.js";
import { evaluateModule } from "./module.js";
import type { Exports, Reading } from "./reading.js";

/** Enough for any project of people; a chain of generated modules ends here. */
const MAX_MODULES = 1000;

/** What a relative module exports, read once for all its importers; null after a report. */
export function loadModule(specifier: string, node: TSESTree.StringLiteral, run: Evaluation): Exports | null {
  const { reading } = run;
  const resolved = reading.host.resolve(specifier, run.source.file);
  if (resolved.kind === "refused") {
    reportRefusal(specifier, resolved.reason, node, run);
    return null;
  }
  const { file, text } = resolved;
  const known = reading.modules.get(file);
  if (known !== undefined) return known;
  const cycle = reading.cycleTo(file);
  if (cycle) {
    const related = cycle.map((span) => ({ span, text: "through this import" }));
    run.refuse("TG1017", node, { module: specifier }, { related });
    return null;
  }
  if (reading.modules.size === MAX_MODULES) {
    run.refuse("TG1019", node, { module: specifier, why: `one of more than ${MAX_MODULES} modules` });
    return null;
  }
  const exports = reading.nested(() =>
    reading.open(file, run.spanOf(node), () => readModuleText(new SourceFile(file, text), reading)),
  );
  if (exports === undefined) run.refuse("TG1002", node, {});
  reading.modules.set(file, exports ?? null);
  return exports ?? null;
}

/** What a module exports; null after a report. */
export function readModuleText(source: SourceFile, reading: Reading): Exports | null {
  reading.sources.set(source.file, source);
  if (source.file.endsWith(".json")) {
    reportInvisible(source, [], reading.diagnostics);
    const value = readJson(source, reading);
    return value ? new Map([["default", value]]) : null;
  }
  const program = parseModule(source, reading.diagnostics);
  if (!program) return null;
  readSuppressions(program, source, reading.diagnostics, { shared: reading.sources.size > 1 });
  return evaluateModule(program, source, reading);
}

function reportRefusal(module: string, reason: RefusalReason, node: TSESTree.Node, run: Evaluation): void {
  switch (reason.kind) {
    case "missing":
      run.refuse("TG1015", node, { module }, { hint: didYouMean(module, reason.names) });
      break;
    case "outside": {
      const how = reason.through === "link" ? "a symbolic link leads" : "the path leads";
      run.refuse("TG1016", node, { module, how });
      break;
    }
    case "unfit":
      run.refuse("TG1019", node, { module, why: reason.why });
      break;
  }
}

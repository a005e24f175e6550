import { parse, TSError, type TSESTree } from "@typescript-eslint/typescript-estree";
import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";

/** The syntax tree of a TypeScript module; TG1001 (or TG1002, nested too deeply) and undefined if it has none. */
export function parseModule(source: SourceFile, diagnostics: Diagnostics): TSESTree.Program | undefined {
  try {
    return parse(source.text, {
      range: true,
      comment: true,
      jsDocParsingMode: "none",
      loggerFn: false,
    });
  } catch (error) {
    if (error instanceof TSError) {
      const { start, end } = error.location;
      const problem = error.message.replace(/\.$/, "");
      diagnostics.report("TG1001", source.span(start.offset, Math.max(end.offset, start.offset + 1)), {
        problem,
      });
      return undefined;
    }
    // The parser recurses without a limit of its own; the engine's is the only one there is.
    if (error instanceof RangeError) {
      diagnostics.report("TG1002", source.span(0, 0), {});
      return undefined;
    }
    throw error;
  }
}

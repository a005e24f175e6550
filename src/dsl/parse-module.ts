import { parse, TSError, type TSESTree } from "@typescript-eslint/typescript-estree";
import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import type { SourceFile } from "../compiler/diagnostics/span.js";
import { reportInvisible } from "./invisible.js";

/**
 * Brackets, commas and the like that a module may hold, so that parsing ends within a second: a policy of 10,000 rules
 * has some 150,000, an array of 100,000 prefixes as many commas.
 */
const MAX_SIGNS = 250_000;
const SLASH = "/".charCodeAt(0);
const SIGN = new Set([..."()[]{},;`$"].map((sign) => sign.charCodeAt(0)));

/** The syntax tree of a TypeScript module; TG1001, TG1002 (nested too deeply) or TG1005 (too large) if it has none. TG1006 of what cannot be seen in it. */
export function parseModule(source: SourceFile, diagnostics: Diagnostics): TSESTree.Program | undefined {
  const tooFar = endOfReadable(source.text);
  if (tooFar !== undefined) {
    diagnostics.report("TG1005", source.span(tooFar, tooFar + 1), { most: MAX_SIGNS });
    return undefined;
  }
  try {
    const program = parse(source.text, {
      range: true,
      comment: true,
      jsDocParsingMode: "none",
      loggerFn: false,
    });
    reportInvisible(source, program.comments ?? [], diagnostics);
    return program;
  } catch (error) {
    if (error instanceof TSError) {
      const { start, end } = error.location;
      const problem = error.message.replace(/\.$/, "");
      const span = source.span(start.offset, Math.max(end.offset, start.offset + 1));
      diagnostics.report("TG1001", span, { problem }, { hint: hintOf(source.text) });
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

/** The parser stumbles far behind a template that is not closed, over what it took for text. */
function hintOf(text: string): string | undefined {
  const ticks = text.replace(/\\./g, "").split("`").length - 1;
  return ticks % 2 === 0 ? undefined : "a backtick may be missing: expr`…` has one at each end";
}

/** The first sign beyond the limit. Signs in texts and comments count too: a close estimate is enough. */
function endOfReadable(text: string): number | undefined {
  if (text.length <= MAX_SIGNS) return undefined;
  let signs = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((SIGN.has(code) || (code === SLASH && startsComment(text, at))) && ++signs > MAX_SIGNS) return at;
  }
  return undefined;
}

function startsComment(text: string, at: number): boolean {
  return text[at + 1] === "/" || text[at + 1] === "*";
}

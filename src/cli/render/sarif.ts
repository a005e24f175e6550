import { isAbsolute, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { CATALOGUE, type Code } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostic, Label } from "../../compiler/diagnostics/diagnostic.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import { version } from "../version.js";
import { exampleMarkdown, titleOf } from "./explanation.js";
import type { Report } from "./report.js";
import type { Sources } from "./sources.js";

/** Where an artifact's URI starts; the reader of the log knows where that is on its machine (SARIF 3.14.14). */
const ROOT = "%SRCROOT%";

/** What a result needs to know of the whole report. */
interface Context {
  readonly rules: readonly Code[];
  readonly sources: Sources;
  readonly folder: string;
}

/** A log of SARIF 2.1.0 (OASIS); section numbers below are those of its text. `folder`: the working directory. */
export function sarifLog({ diagnostics, suppressed, sources }: Report, folder: string): object {
  const all = [...diagnostics, ...suppressed.map(({ diagnostic }) => diagnostic)];
  const rules = [...new Set(all.map(({ code }) => code))].sort();
  const context = { rules, sources, folder };
  const answered = suppressed.map(({ diagnostic, reason }) => ({
    ...result(diagnostic, context),
    suppressions: [{ kind: "inSource", justification: reason }],
  }));
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Tidegate", version: version(), rules: rules.map(rule) } },
        // Our columns are offsets into JavaScript's strings (3.14.17).
        columnKind: "utf16CodeUnits",
        // 3.27.23: a log with suppressions says of each result whether it has any.
        results: [...diagnostics.map((one) => ({ ...result(one, context), suppressions: [] })), ...answered],
      },
    ],
  };
}

function rule(code: Code): object {
  const { severity, explanation, example } = CATALOGUE[code];
  const text = unwrapped(explanation);
  return {
    id: code,
    shortDescription: { text: titleOf(code) },
    fullDescription: { text },
    help: { text, markdown: `${text}\n\n${exampleMarkdown(example)}` },
    defaultConfiguration: { level: severity },
  };
}

function result(diagnostic: Diagnostic, context: Context): object {
  const { code, severity, message, hint, span, related } = diagnostic;
  return {
    ruleId: code,
    ruleIndex: context.rules.indexOf(code),
    level: severity,
    message: { text: hint === null ? message : `${message}\nhint: ${hint}` },
    locations: [{ physicalLocation: place(span, context) }],
    ...(related.length > 0 && { relatedLocations: related.map((label) => relatedPlace(label, context)) }),
  };
}

function relatedPlace({ span, text }: Label, context: Context): object {
  return { physicalLocation: place(span, context), message: { text } };
}

function place(span: Span, { sources, folder }: Context): object {
  // A byte order mark is counted neither in lines nor in offsets (3.30.1).
  const mark = sources(span.file)?.text.startsWith("\ufeff") ? 1 : 0;
  return {
    artifactLocation: artifact(span.file, folder),
    region: {
      startLine: span.line,
      startColumn: span.column,
      endLine: span.endLine,
      endColumn: span.endColumn,
      charOffset: Math.max(0, span.start - mark),
      charLength: span.end - span.start,
    },
  };
}

/** Relative to the working directory, so that the log means the same on another machine; else an absolute URI. */
function artifact(file: string, folder: string): object {
  const path = relative(folder, resolve(folder, file));
  if (path.startsWith("..") || isAbsolute(path)) return { uri: pathToFileURL(resolve(folder, file)).href };
  return { uri: path.split(sep).map(encodeURIComponent).join("/"), uriBaseId: ROOT };
}

/** Explanations are broken for a terminal; readers of a log break lines themselves. */
function unwrapped(text: string): string {
  return text.replaceAll("\n", " ");
}

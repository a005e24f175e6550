import type { TSESTree } from "@typescript-eslint/typescript-estree";
import { CATALOGUE, type Code, isCode } from "../compiler/diagnostics/catalogue/index.js";
import { SUPPRESSION } from "../compiler/diagnostics/catalogue/suppression.js";
import type { Diagnostics } from "../compiler/diagnostics/diagnostic.js";
import { didYouMean } from "../compiler/diagnostics/did-you-mean.js";
import type { SourceFile, Span } from "../compiler/diagnostics/span.js";
import type { Suppression } from "../compiler/diagnostics/suppressions.js";
import { childrenOf, exprTemplates } from "./expr-templates.js";

/** The text of a comment behind its `//`, `#` or `/*`. */
interface Comment {
  readonly start: number;
  readonly text: string;
  readonly block: boolean;
}

/** What all comments of a module share. */
interface Module extends Pick<Suppression, "shared"> {
  readonly source: SourceFile;
  readonly diagnostics: Diagnostics;
  readonly lineMeant: (line: number) => number;
  readonly lastLineFrom: (line: number) => number;
}

const MARKER = "tidegate-ignore";
/** More codes than exist are no list to read. */
const LONGEST_LIST = 1000;

/**
 * Reads the comments `// tidegate-ignore TG3004, TG3001: reason` of a module, also those behind `#` in its
 * expressions, and tells `diagnostics` what they suppress. What is no proper suppression is reported (TG309x).
 * `shared`: the module is imported.
 */
export function readSuppressions(
  program: TSESTree.Program,
  source: SourceFile,
  diagnostics: Diagnostics,
  about: Pick<Suppression, "shared">,
): void {
  // Hardly any module has one, and looking for expressions costs a walk of the tree.
  if (!source.text.includes(MARKER)) return;
  const comments = [...moduleComments(program), ...expressionComments(program, source)];
  const lastLines = lastLinesOf(program, source);
  const lastLineFrom = (line: number) => lastLines.get(line) ?? line;
  const module = { source, diagnostics, lineMeant: linesMeant(source), lastLineFrom, ...about };
  for (const comment of comments.sort((a, b) => a.start - b.start)) readComment(comment, module);
}

function moduleComments({ comments = [] }: TSESTree.Program): readonly Comment[] {
  return comments.map(({ type, range, value }) => ({
    start: range[0] + "//".length,
    text: value,
    block: type === "Block",
  }));
}

function expressionComments(program: TSESTree.Program, { text }: SourceFile): readonly Comment[] {
  const pieces = exprTemplates(program).flatMap(({ quasi }) => quasi.quasis);
  return pieces.flatMap(({ range: [start, end] }) => hashComments(text, start, end));
}

/** `#` comments run to the end of the line, and `#` inside of quotes is none. */
function hashComments(text: string, start: number, end: number): readonly Comment[] {
  const comments: Comment[] = [];
  let quoted = false;
  for (let at = start; at < end; at++) {
    const character = text[at];
    if (character === "\n" || character === "\r") quoted = false;
    else if (character === '"') quoted = !quoted;
    else if (quoted && character === "\\") at++;
    else if (!quoted && character === "#") {
      const [comment = ""] = text.slice(at + 1, end).split(/[\r\n]/, 1);
      comments.push({ start: at + 1, text: comment, block: false });
      at += comment.length;
    }
  }
  return comments;
}

function readComment({ start, text, block }: Comment, module: Module): void {
  const { source, diagnostics, lineMeant, lastLineFrom, shared } = module;
  const [, space = "", codes, , reason] = /^(\s*)tidegate-ignore\b([^:]*)(:(.*))?$/s.exec(text) ?? [];
  if (codes === undefined) return;
  const from = start + space.length;
  const written = text.trim().split(/\s*[:\r\n]/, 1)[0] ?? "";
  const whole = source.span(from, from + written.length);
  const named = [...codes.matchAll(/[^\s,]+/g)];
  if (block || codes.length > LONGEST_LIST || !/^\s+\w+(\s*,\s*\w+)*\s*$/.test(codes)) {
    const hint = block ? "write it as a comment of one line, behind `//`" : undefined;
    diagnostics.report("TG3094", whole, { comment: written }, { hint });
    return;
  }
  if (!reason?.trim()) {
    diagnostics.report("TG3090", whole, { comment: written }, { hint: `write \`${written}: reason\`` });
    return;
  }
  const line = lineMeant(whole.line);
  const about = { line, lastLine: lastLineFrom(line), reason: reason.trim(), shared };
  for (const { index, 0: code } of named) {
    const at = from + MARKER.length + index;
    readCode(code, source.span(at, at + code.length), about, diagnostics);
  }
}

function readCode(
  name: string,
  span: Span,
  about: Omit<Suppression, "code" | "span">,
  diagnostics: Diagnostics,
): void {
  if (!isCode(name)) {
    diagnostics.report("TG3091", span, { code: name }, { hint: didYouMean(name, suppressible()) });
    return;
  }
  const what = whyNot(name);
  if (what === undefined) diagnostics.suppress({ code: name, span, ...about });
  else diagnostics.report("TG3093", span, { code: name, what });
}

function suppressible(): readonly string[] {
  return Object.keys(CATALOGUE).filter((code) => isCode(code) && whyNot(code) === undefined);
}

/** Why a code is always reported, or undefined if it may be suppressed. */
function whyNot(code: Code): string | undefined {
  if (Object.hasOwn(SUPPRESSION, code)) return "about suppressions";
  return CATALOGUE[code].severity === "error" ? "an error" : undefined;
}

/**
 * For the line of a comment the line that it means: its own if more than the comment is on it, otherwise the next one
 * that is no comment. Asked in the order of the text, so that of a run of comments each line is looked at once.
 */
function linesMeant(source: SourceFile): (line: number) => number {
  let first = 0;
  let meant = 0;
  return (line) => {
    if (line >= first && line < meant) return meant;
    first = line;
    meant = line;
    while (/^\s*(\/\/|#)/.test(source.line(meant))) meant++;
    return meant;
  };
}

/**
 * For a line the last one of what begins there, however many lines a formatter gave it: a statement, an item of an array,
 * a property. The default export is the whole policy and not one thing: what is meant in it is said at its parts.
 */
function lastLinesOf(program: TSESTree.Program, source: SourceFile): ReadonlyMap<number, number> {
  const lines = new Map<number, number>();
  const visit = (node: TSESTree.Node): void => {
    for (const part of partsOf(node)) {
      const { line, endLine } = source.span(...part.range);
      lines.set(line, Math.max(endLine, lines.get(line) ?? 0));
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(program);
  return lines;
}

function partsOf(node: TSESTree.Node): readonly TSESTree.Node[] {
  switch (node.type) {
    case "Program":
    case "BlockStatement":
      return node.body.filter(({ type }) => type !== "ExportDefaultDeclaration");
    case "ArrayExpression":
      return node.elements.filter((element) => element !== null);
    case "ObjectExpression":
      return node.properties;
    default:
      return [];
  }
}

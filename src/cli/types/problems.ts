import type {
  DiagnosticRelatedInformation,
  Node,
  Diagnostic as TsDiagnostic,
  SourceFile as TsSourceFile,
  TypeChecker,
} from "typescript";
import { type Diagnostic, diagnostic, type Label } from "../../compiler/diagnostics/diagnostic.js";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { Files } from "./host.js";
import { ts } from "./typescript.js";

/** A mistake that TypeScript sees. `places`: where our reader would report the same one. */
export interface Problem {
  readonly diagnostic: Diagnostic;
  readonly places: readonly Span[];
}

/** TG2070, with TypeScript's own words and number. */
export function problemOf(found: TsDiagnostic, files: Files, checker: TypeChecker): Problem {
  const span = spanOf(found, files);
  invariant(span, `TypeScript reports on no file of the check: ${textOf(found)}`);
  const related = (found.relatedInformation ?? []).flatMap((one): readonly Label[] => {
    const place = spanOf(one, files);
    return place ? [{ span: place, text: textOf(one) }] : [];
  });
  const params = { problem: textOf(found), code: found.code };
  return {
    diagnostic: diagnostic("TG2070", span, params, { related }),
    places: [span, ...otherPlaces(found, checker).flatMap((node) => spanOfNode(node, files) ?? [])],
  };
}

/** TypeScript's text, whose reasons are lines that go deeper and deeper, on one line and without the final period. */
export function textOf({ messageText }: DiagnosticRelatedInformation): string {
  return ts.flattenDiagnosticMessageText(messageText, "\n").replace(/\n\s*/g, " ").replace(/\.$/, "");
}

/** Undefined in a file that is not the user's: a type's declaration in "tidegate" or in the language. */
function spanOf({ file, start, length }: DiagnosticRelatedInformation, files: Files): Span | undefined {
  return files.get(file?.fileName ?? "")?.span(start ?? 0, (start ?? 0) + (length ?? 0));
}

export function spanOfNode(node: Node, files: Files, file = node.getSourceFile()): Span | undefined {
  return files.get(file.fileName)?.span(node.getStart(file), node.getEnd());
}

/**
 * TypeScript underlines a property's name, our reader its value; TypeScript the use of a constant, our reader where
 * the value was written; and for a wrong number of arguments our reader underlines what is called.
 */
function otherPlaces({ file, start, length, code }: TsDiagnostic, checker: TypeChecker): readonly Node[] {
  if (!file || start === undefined || length === undefined) return [];
  const node = nodeAt(file, start, start + length);
  if (node === file) return [];
  const value = ts.isPropertyAssignment(node.parent) ? node.parent.initializer : node;
  const call = ARGUMENT_COUNT.has(code) ? ts.findAncestor(node, ts.isCallExpression) : undefined;
  return [value, ...originsOf(value, checker), ...(call ? [call.expression] : [])];
}

/** "Expected N arguments, but got M", and the same with "at least". */
const ARGUMENT_COUNT: ReadonlySet<number> = new Set([2554, 2555]);

/** The innermost node around a range. */
function nodeAt(file: TsSourceFile, start: number, end: number): Node {
  const around = (node: Node): boolean => node.getStart(file) <= start && end <= node.getEnd();
  const inner = (node: Node): Node | undefined => ts.forEachChild(node, (c) => (around(c) ? c : undefined));
  let node: Node = file;
  for (let child = inner(node); child; child = inner(node)) node = child;
  return node;
}

/** What the constants hold that an expression names, one behind the other, in any file. */
function originsOf(node: Node, checker: TypeChecker): readonly Node[] {
  const origins: Node[] = [];
  for (let next = origin(node, checker); next && !origins.includes(next); next = origin(next, checker)) {
    origins.push(next);
  }
  return origins;
}

function origin(node: Node, checker: TypeChecker): Node | undefined {
  const symbol = ts.isShorthandPropertyAssignment(node.parent)
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : checker.getSymbolAtLocation(node);
  const isAlias = symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0;
  const declaration = (isAlias ? checker.getAliasedSymbol(symbol) : symbol)?.valueDeclaration;
  return declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
}

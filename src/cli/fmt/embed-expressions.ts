import type { AstPath, Doc, Printer } from "prettier";
import { builders, printer } from "prettier/doc";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import { formatExpression } from "../../dsl/filter/format.js";

const { group, hardline, ifBreak, line, lineSuffixBoundary } = builders;

/**
 * Width of the lines of an expression on several lines, counted from where its rule stands. It does not depend on
 * how deep that is, so moving a rule never changes the lines of its expression.
 */
const MEASURE = 72;

/** Stands for an interpolation while an expression is laid out, at its width; no expression can hold these. */
const HOLE_START = "\uE000";
const HOLE_FILL = "\uE001";
const HOLE = /\uE000\uE001*/;

/** The nodes that we look at, as prettier's TypeScript parser makes them. */
interface TemplateNode {
  readonly type: string;
  readonly tag?: { readonly type: string; readonly name?: string };
  readonly expressions: unknown[];
  readonly quasis: readonly { readonly value: { readonly raw: string } }[];
}

/**
 * Tells prettier how to lay out the text of expr`…`, under any of its `names`. What goes wrong there, prettier would
 * pass over in silence, so it is given to `failed`.
 */
export function embedExpressions(
  names: ReadonlySet<string>,
  failed: (problem: unknown) => void,
): NonNullable<Printer["embed"]> {
  return (path: AstPath<TemplateNode>) => {
    const { node } = path;
    const parent: TemplateNode | null = path.parent;
    const tag = parent?.type === "TaggedTemplateExpression" ? parent.tag : undefined;
    if (node.type !== "TemplateLiteral" || tag?.type !== "Identifier" || !names.has(tag.name ?? ""))
      return null;
    return async (_textToDoc, print) => {
      try {
        const holes = (path.map(print, "expressions") as Doc[]).map(holeDoc);
        const texts = node.quasis.map(({ value }) => value.raw);
        return layOut(texts, holes);
      } catch (problem) {
        failed(problem);
        return undefined;
      }
    };
  };
}

/** An interpolation as TypeScript, and its width in columns on one line. */
interface HoleDoc {
  readonly doc: Doc;
  readonly width: number;
}

/** On one line, as prettier itself does; but a function's block or a comment keeps its lines. */
function holeDoc(value: Doc): HoleDoc {
  const { formatted } = printer.printDocToString(value, {
    printWidth: Number.POSITIVE_INFINITY,
    tabWidth: 2,
  });
  const [first = "", ...more] = formatted.split("\n");
  const doc = more.length === 0 ? `\${${formatted}}` : ["${", value, lineSuffixBoundary, "}"];
  return { doc, width: "$".length + "{".length + first.length + "}".length };
}

/** Raw text over several lines: to indent it would change it. */
const RAW_LINES = /\br#*"[^"]*\n/;

/** One line where it fits, else several; undefined where the text is to stay as it is. */
function layOut(texts: readonly string[], holes: readonly HoleDoc[]): Doc | undefined {
  const template = withHoles(texts, holes);
  if (RAW_LINES.test(template.text)) return undefined;
  const docs = holes.map(({ doc }) => doc);
  const wide = formatExpression(template, { indent: 0, width: Number.POSITIVE_INFINITY });
  if (wide === undefined) return undefined;
  const oneLine = ["`", linesOf(wide, docs, hardline), "`"];
  // A comment ends a line, whatever the width.
  const isOneLine = !wide.includes("\n");
  if (isOneLine && wide.length <= MEASURE) return oneLine;
  const tall = formatExpression(template, { indent: 0, width: MEASURE });
  invariant(tall !== undefined, "whether an expression can be formatted does not depend on the width");
  const severalLines = ["`", linesOf(hugged(tall), docs, isOneLine ? line : hardline), "`"];
  return isOneLine ? group(ifBreak(severalLines, oneLine)) : severalLines;
}

/** A single set or group needs no lines of its own for its brackets: expr`ip.src in {`, its items, `}`. */
function hugged(tall: string): string {
  const [opening = "", ...inside] = tall.trim().split("\n");
  const closing = inside.pop()?.trim() ?? "";
  const isWhole = inside.every((one) => one.startsWith("    "));
  if (!isWhole || !/[{(]$/.test(opening) || !/^[)}]$/.test(closing)) return tall;
  return [opening, ...inside.map((one) => one.slice(2)), closing].join("\n");
}

/** The template as our formatter wants it, each interpolation blotted out to its width. */
function withHoles(
  texts: readonly string[],
  holes: readonly HoleDoc[],
): Parameters<typeof formatExpression>[0] {
  let text = texts[0] ?? "";
  const places = holes.map(({ width }, index) => {
    const start = text.length;
    text += HOLE_START + HOLE_FILL.repeat(width - 1);
    const place = { start, end: text.length };
    text += texts[index + 1] ?? "";
    return place;
  });
  return { text, holes: places };
}

/** Formatted text with the interpolations back in their places. */
function linesOf(text: string, holes: readonly Doc[], lineBreak: Doc): Doc {
  let next = 0;
  const lines = text.split("\n").map((one) =>
    one.split(HOLE).map((piece, index) => {
      if (index === 0) return piece;
      const hole = holes[next++];
      invariant(hole, "formatting an expression keeps its interpolations");
      return [hole, piece];
    }),
  );
  invariant(next === holes.length, "formatting an expression keeps its interpolations");
  return builders.join(lineBreak, lines);
}

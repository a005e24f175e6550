import type { Step } from "../../../compiler/analysis/classify/columns.js";
import type { Classes } from "../../../compiler/analysis/classify/segments.js";
import { CELL, type Image } from "./image.js";
import { addTree } from "./tree.js";

/** The function of bpf-templates/classify.h, `tg_class_…()`, by which a number becomes its class. */
export type LookupKind = "byte" | "half" | "word";

export function lookupKind(bits: number): LookupKind {
  return bits <= 8 ? "byte" : bits <= 16 ? "half" : "word";
}

/** What the function must know: the place of a table, and of a tree how many bits are below it. */
export function addLookup(image: Image, { question, segments }: Step, scale: number): readonly number[] {
  const kind = lookupKind(question.bits);
  if (kind === "word") {
    // What trees find has the two lowest bits clear.
    const { table, below } = addTree(image, segments, (found) => found * scale * CELL);
    return [table, below];
  }
  const classes = spelled(segments, 2 ** question.bits).map((found) => found * scale);
  return [kind === "byte" ? image.add(classes) : addPages(image, classes)];
}

/** The class of each number. */
function spelled({ starts, classes }: Classes, count: number): Uint32Array {
  const all = new Uint32Array(count);
  const [from] = starts;
  classes.forEach((found, segment) => {
    all.fill(found, from?.[segment], from?.[segment + 1] ?? count);
  });
  return all;
}

const PAGE = 256;

/** A table of pages; equal pages are there once. */
function addPages(image: Image, classes: Uint32Array): number {
  const table = image.reserve(PAGE * CELL);
  const known = new Map<string, number>();
  for (let page = 0; page * PAGE < classes.length; page++) {
    const cells = classes.subarray(page * PAGE, (page + 1) * PAGE);
    const key = cells.join();
    const place = known.get(key) ?? image.add(cells);
    known.set(key, place);
    image.set(table + page * CELL, place);
  }
  return table;
}

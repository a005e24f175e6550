import type { Columns } from "../../../compiler/analysis/classify/columns.js";
import { keyOfNumbers } from "../../../compiler/analysis/classify/interner.js";
import type { Matrix } from "../../../compiler/analysis/classify/matrix.js";
import { invariant } from "../../../compiler/diagnostics/invariant.js";
import { CELL, type Image } from "./image.js";

/** A cell of a matrix: the row that it belongs to, its leaf's sort, and its leaf's values. */
const MATRIX_CELL = 3 * CELL;

/** What classes of addresses are in a matrix: a source's and a destination's number add up to the place of their cell. */
export interface Placed {
  readonly rows: Uint32Array;
  readonly places: Uint32Array;
}

/** How lines lie in the image. */
export interface LineForm {
  /** Size of the places that they consist of. */
  readonly placeBytes: 1 | 2;
  /** They are cut into pages, of which equal ones are there once: where the last question has many classes. */
  readonly isPaged: boolean;
}

/** Classes of a page, as TG_PAGE in bpf-templates/classify.h. */
export const PAGE = 256;

export interface MatrixData {
  readonly matrix: Matrix;
  readonly columns: Columns;
  readonly lines: LineForm;
  /** What a value of the matrix is in the image. */
  readonly imaged: (value: number) => number;
}

export function addMatrix(image: Image, { matrix, columns, lines: form, imaged }: MatrixData): Placed {
  const lines = new Lines(image, form);
  const sorts = matrix.sorts.map((sort) => addSort(image, lines, sort(), columns));
  const values = new Lists(image);
  const leaves = matrix.leaves.map((leaf) => [
    sorts[leaf.sort] as number,
    values.add(leaf.values.map(imaged)),
  ]);
  const begins = displaced(matrix.rows);
  const base = image.reserve((matrix.places + largest(begins) + 1) * MATRIX_CELL);
  const rows = begins.map((begin) => base + begin * MATRIX_CELL);
  matrix.rows.forEach((cells, row) => {
    const begin = rows[row] as number;
    for (const { place, leaf } of cells) {
      [begin, ...(leaves[leaf] ?? [])].forEach((number, index) => {
        image.set(begin + place * MATRIX_CELL + index * CELL, number);
      });
    }
  });
  return {
    rows: matrix.rowOf.map((row) => rows[row] as number),
    places: matrix.placeOf.map((place) => place * MATRIX_CELL),
  };
}

/**
 * Where each row begins, so that no two rows have a cell at one place: rows lie in each other's gaps (Tarjan and Yao,
 * "Storing a sparse table", 1979). No two begin at the same place, as it is what tells whose a cell is.
 */
function displaced(rows: Matrix["rows"]): readonly number[] {
  const length = (row: number) => rows[row]?.length ?? 0;
  const order = rows.map((_, row) => row).sort((a, b) => length(b) - length(a) || a - b);
  // Behind what all rows take one after the other there is always room.
  const taken = new Uint8Array(2 * rows.reduce((sum, cells) => sum + (cells.at(-1)?.place ?? 0) + 2, 1));
  const begun = new Set<number>();
  const begins: number[] = [];
  let [free, freeBegin] = [0, 0];
  for (const row of order) {
    const cells = rows[row] ?? [];
    const [first] = cells;
    let begin = first ? Math.max(0, free - first.place) : freeBegin;
    while (begun.has(begin) || cells.some(({ place }) => taken[begin + place] === 1)) begin++;
    invariant(begin + (cells.at(-1)?.place ?? 0) < taken.length, "there is room for every row");
    begins[row] = begin;
    begun.add(begin);
    for (const { place } of cells) taken[begin + place] = 1;
    while (taken[free] === 1) free++;
    while (begun.has(freeBegin)) freeBegin++;
  }
  return begins;
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

/** A sort as a table: from states to lines, of which each goes from classes of the last question to places. */
function addSort(image: Image, lines: Lines, sort: Uint16Array, { paths }: Columns): number {
  const table: number[] = [];
  for (const { states, columns } of paths) {
    const classes = columns.length / states;
    // One line for all, and no callback: large stages come here some hundred million times.
    const line = new Uint16Array(classes);
    for (let state = 0, at = 0; state < states; state++) {
      for (let to = 0; to < classes; to++) line[to] = sort[columns[at++] as number] as number;
      table.push(lines.add(line));
    }
  }
  return image.add(table);
}

/** Lines of small numbers, each once. */
class Lines {
  readonly #image: Image;
  readonly #form: LineForm;
  readonly #known = new Map<string, number>();

  constructor(image: Image, form: LineForm) {
    this.#image = image;
    this.#form = form;
  }

  add(line: Uint16Array): number {
    if (!this.#form.isPaged) return this.#once(line);
    const pages: number[] = [];
    for (let at = 0; at < line.length; at += PAGE) pages.push(this.#once(line.subarray(at, at + PAGE)));
    return this.#image.add(pages);
  }

  #once(places: Uint16Array): number {
    const key = keyOfNumbers(places);
    const place = this.#known.get(key) ?? this.#image.addSmall(places, this.#form.placeBytes);
    this.#known.set(key, place);
    return place;
  }
}

/** Lists of numbers, each once. */
class Lists {
  readonly #image: Image;
  readonly #known = new Map<string, number>();

  constructor(image: Image) {
    this.#image = image;
  }

  add(list: readonly number[]): number {
    const key = list.join();
    const place = this.#known.get(key) ?? this.#image.add(list);
    this.#known.set(key, place);
    return place;
  }
}

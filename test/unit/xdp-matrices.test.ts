import { expect, test } from "vitest";
import type { Matrix } from "../../src/compiler/analysis/classify/matrix.js";
import { Image } from "../../src/targets/xdp/classifier/image.js";
import { addMatrix } from "../../src/targets/xdp/classifier/matrices.js";

/** Rows with a few cells each, which lie in one another's gaps. */
const ROWS = [[0], [0], [3], [1, 4], [], [2], [5]];
const PLACES = 6;

const matrix: Matrix = {
  rowOf: Uint32Array.from(ROWS.keys()),
  placeOf: Uint32Array.from({ length: PLACES }, (_, place) => place),
  places: PLACES,
  rows: ROWS.map((places) => places.map((place) => ({ place, leaf: 0 }))),
  leaves: [{ sort: 0, values: [1] }],
  sorts: [() => Uint16Array.of(0)],
};

test("a row finds its own cells and no other row's, wherever they lie", () => {
  const image = new Image();
  const { rows, places } = addMatrix(image, {
    matrix,
    columns: {
      paths: [{ transport: null, steps: [], states: 1, columns: Uint32Array.of(0) }],
      count: 1,
      ofShape: [],
    },
    lines: { placeBytes: 1, isPaged: false },
    imaged: (value) => value,
  });
  const found = Array.from(rows, (row) => {
    return [...places.keys()].filter((place) => image.get(row + (places[place] ?? 0)) === row);
  });
  expect(found).toEqual(ROWS);
});

import { invariant } from "../../../compiler/diagnostics/invariant.js";

/** Cells of 32 bits. */
export const CELL = 4;
export const LINE = 64;
/** What a place that the verifier only knows to lie in the image may reach behind its end: bpf-templates/classify.h. */
export const IMAGE_TAIL = LINE;

/** The data of a classifier, as it lies in its map. Places are offsets in bytes; 0 is no place of anything. */
export class Image {
  #cells = new Uint32Array(1024);
  #end = LINE;

  /** Room for so many bytes, all 0; `align` is a power of two. */
  reserve(bytes: number, align = CELL): number {
    const place = Math.ceil(this.#end / align) * align;
    this.#end = place + Math.ceil(bytes / CELL) * CELL;
    if (this.#end > this.#cells.byteLength) {
      const grown = new Uint32Array(Math.max(2 * this.#cells.length, this.#end / CELL));
      grown.set(this.#cells);
      this.#cells = grown;
    }
    return place;
  }

  get(place: number): number {
    return this.#cells[place / CELL] as number;
  }

  set(place: number, value: number): void {
    invariant(place % CELL === 0 && place < this.#end, "a cell of the image");
    this.#cells[place / CELL] = value;
  }

  add(cells: ArrayLike<number>, align = CELL): number {
    const place = this.reserve(cells.length * CELL, align);
    this.#cells.set(cells, place / CELL);
    return place;
  }

  /** Numbers of 16 bits, two in a cell. */
  addHalves(halves: ArrayLike<number>): number {
    const cells = new Uint32Array(Math.ceil(halves.length / 2));
    for (let at = 0; at < halves.length; at++) {
      const half = halves[at] as number;
      invariant(half <= 0xffff, "a number of 16 bits");
      cells[at >> 1] = (cells[at >> 1] as number) | (half << (at % 2 === 0 ? 0 : 16));
    }
    return this.add(cells);
  }

  get bytes(): number {
    return this.#end;
  }

  /** Little-endian, as on all machines that this runs on. */
  finish(bytes: number): Uint8Array {
    invariant(bytes >= this.#end, "the image fits");
    const all = new Uint8Array(bytes);
    all.set(new Uint8Array(this.#cells.buffer, 0, Math.min(this.#end, this.#cells.byteLength)));
    return all;
  }
}

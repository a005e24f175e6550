import { invariant } from "../../../compiler/diagnostics/invariant.js";

/** Bytes of a cell, a number of 32 bits. */
export const CELL = 4;
/** Bytes of a cache line. */
export const LINE = 64;

const SMALLEST = 4096;

/**
 * The data of a customer's program as it lies in its map, little-endian like the machines that this runs on. Places are
 * offsets in bytes; the first line is nobody's, so that 0 is no place.
 */
export class Image {
  #cells = new Uint32Array(SMALLEST / CELL);
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

  /** Numbers of 8 or 16 bits, as many in a cell as it holds. */
  addSmall(numbers: Uint16Array, size: 1 | 2): number {
    const cells = new Uint32Array(Math.ceil((numbers.length * size) / CELL));
    (size === 1 ? new Uint8Array(cells.buffer) : new Uint16Array(cells.buffer)).set(numbers);
    return this.add(cells);
  }

  /** The size that the map must have: a power of two, as places are bounded by a mask. */
  get room(): number {
    let room = SMALLEST;
    while (room < this.#end) room *= 2;
    return room;
  }

  /** Bytes of the map's value: `room`, and the line that a place at its very end may reach into. */
  get size(): number {
    return this.room + LINE;
  }

  /** All of the map's value. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.size);
    all.set(new Uint8Array(this.#cells.buffer, 0, this.#end));
    return all;
  }
}

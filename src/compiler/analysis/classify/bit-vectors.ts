import { Interner, keyOfCells } from "./interner.js";

/** Bits of a page: those of a cache line. */
export const PAGE_BITS = 512;
const PAGE_CELLS = PAGE_BITS / 32;

/** A page of bits: of cell `index >>> 5`, bit `index & 31`. */
export type Page = Uint32Array;

/**
 * Sets of numbers below `bits`, each once and known by its number. They are bits in pages, of which equal ones are there once,
 * so that a set that differs from another in one number takes one page more.
 */
export class BitVectors {
  /** How many pages a vector has. */
  readonly length: number;
  /** The vector of nothing. */
  readonly nothing: number;
  readonly #pages = new Interner<Page>(keyOfCells);
  readonly #vectors = new Interner<Uint32Array>(keyOfCells);
  readonly #met = new Map<number, number>();

  constructor(bits: number) {
    this.length = Math.ceil(bits / PAGE_BITS);
    const empty = this.#pages.add(new Uint32Array(PAGE_CELLS));
    this.nothing = this.#vectors.add(new Uint32Array(this.length).fill(empty));
  }

  /** How many numbers of 32 bits all of them take. */
  get cells(): number {
    return this.#pages.size * PAGE_CELLS + this.#vectors.size * this.length;
  }

  /** Of the vector's pages, in order. */
  pagesOf(vector: number): readonly Page[] {
    return Array.from(this.#vectors.at(vector), (page) => this.#pages.at(page));
  }

  /** The numbers in the vector, in order. */
  bitsOf(vector: number): readonly number[] {
    const bits: number[] = [];
    this.pagesOf(vector).forEach((page, at) => {
      for (let cell = 0; cell < PAGE_CELLS; cell++) {
        for (let left = page[cell] as number; left !== 0; left &= left - 1) {
          bits.push(at * PAGE_BITS + cell * 32 + 31 - Math.clz32(left & -left));
        }
      }
    });
    return bits;
  }

  /** Every one of the bits the other way. */
  toggled(vector: number, bits: readonly number[]): number {
    const pages = this.#vectors.at(vector).slice();
    const changed = new Map<number, Page>();
    for (const bit of bits) {
      const at = Math.floor(bit / PAGE_BITS);
      const page = changed.get(at) ?? this.#pages.at(pages[at] as number).slice();
      changed.set(at, page);
      const cell = (bit % PAGE_BITS) >>> 5;
      page[cell] = (page[cell] as number) ^ (1 << (bit & 31));
    }
    for (const [at, page] of changed) pages[at] = this.#pages.add(page);
    return this.#vectors.add(pages);
  }

  /** What is in both. */
  both(a: number, b: number): number {
    if (a === b) return a;
    const others = this.#vectors.at(b);
    return this.#vectors.add(
      this.#vectors.at(a).map((page, at) => this.#bothPages(page, others[at] as number)),
    );
  }

  #bothPages(a: number, b: number): number {
    if (a === b) return a;
    const pair = Math.min(a, b) * 2 ** 26 + Math.max(a, b);
    const known = this.#met.get(pair);
    if (known !== undefined) return known;
    const others = this.#pages.at(b);
    const met = this.#pages.add(this.#pages.at(a).map((cell, at) => cell & (others[at] as number)));
    this.#met.set(pair, met);
    return met;
  }
}

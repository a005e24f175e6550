/** Numbers equal values, by a key that is equal for them only. */
export class Interner<T> {
  readonly #indexes = new Map<string, number>();
  readonly #values: T[] = [];
  readonly #keyOf: (value: T) => string;

  constructor(keyOf: (value: T) => string) {
    this.#keyOf = keyOf;
  }

  /** The value's number, counted from 0 in the order in which values came first. */
  add(value: T): number {
    const key = this.#keyOf(value);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.#values.length);
    this.#values.push(value);
    return this.#values.length - 1;
  }

  at(index: number): T {
    return this.#values[index] as T;
  }

  get all(): readonly T[] {
    return this.#values;
  }

  get size(): number {
    return this.#values.length;
  }
}

/** A key of numbers below 65,536: a text of as many code units, which costs next to nothing to make. */
export function keyOfNumbers({ buffer, byteOffset, byteLength }: Uint16Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf16le");
}

/** The same for numbers of 32 bits. */
export function keyOfCells({ buffer, byteOffset, byteLength }: Uint32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf16le");
}

/** Fills `into` with the next bytes and says how many; 0: the end. */
export type ReadBytes = (into: Uint8Array) => number;

const CHUNK = 1 << 20;

/** Bytes in their order, of which a window is kept: a capture may be larger than the memory. */
export class ByteInput {
  readonly #read: ReadBytes;
  #window = new Uint8Array(CHUNK);
  #start = 0;
  #end = 0;
  #ended = false;
  #offset = 0;

  constructor(read: ReadBytes) {
    this.#read = read;
  }

  /** How many bytes have been taken. */
  get offset(): number {
    return this.#offset;
  }

  /** The next `length` bytes, or those that are left. They are overwritten by the next call. */
  take(length: number): Uint8Array {
    const bytes = this.peek(length);
    this.#start += bytes.length;
    this.#offset += bytes.length;
    return bytes;
  }

  /** The same, and they stay the next ones. */
  peek(length: number): Uint8Array {
    while (this.#end - this.#start < length && !this.#ended) this.#fill(length);
    return this.#window.subarray(this.#start, Math.min(this.#start + length, this.#end));
  }

  #fill(length: number): void {
    const kept = this.#window.subarray(this.#start, this.#end);
    if (length > this.#window.length) {
      const larger = new Uint8Array(length);
      larger.set(kept);
      this.#window = larger;
    } else if (this.#start > 0) this.#window.set(kept);
    this.#start = 0;
    this.#end = kept.length;
    const count = this.#read(this.#window.subarray(this.#end));
    this.#end += count;
    this.#ended = count === 0;
  }
}

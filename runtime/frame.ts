/**
 * The wire format between the runtime and its native helpers, little-endian:
 * `u32 length of the rest | u32 count | count × (u32 length, bytes)`. runtime/native/frame.c is the other half.
 */

export type Field = string | Uint8Array;

/** Longest frame that either side accepts, without its leading length. */
export const MAX_FRAME = 64 * 1024 * 1024;

const WORD = 4;

/** The bytes do not follow the format, or exceed its bounds. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Encodes one frame; strings become UTF-8. */
export function encodeFrame(fields: readonly Field[]): Buffer {
  const sizes = fields.map((field) => (typeof field === "string" ? Buffer.byteLength(field) : field.length));
  const rest = sizes.reduce((sum, size) => sum + WORD + size, WORD);
  if (rest > MAX_FRAME) throw new FrameError(`a frame of ${rest} bytes exceeds the limit of ${MAX_FRAME}`);
  const frame = Buffer.allocUnsafe(WORD + rest);
  frame.writeUInt32LE(rest, 0);
  frame.writeUInt32LE(fields.length, WORD);
  let offset = 2 * WORD;
  fields.forEach((field, index) => {
    const size = sizes[index] ?? 0;
    offset = frame.writeUInt32LE(size, offset);
    if (typeof field === "string") frame.write(field, offset);
    else frame.set(field, offset);
    offset += size;
  });
  return frame;
}

/** Decodes what follows a frame's leading length. */
export function decodeFields(body: Buffer): readonly Buffer[] {
  if (body.length < WORD) throw new FrameError("a frame ends before its field count");
  const count = body.readUInt32LE(0);
  const fields: Buffer[] = [];
  let offset = WORD;
  while (fields.length < count) {
    if (body.length - offset < WORD) throw new FrameError("a frame ends before a field's length");
    const size = body.readUInt32LE(offset);
    offset += WORD;
    if (body.length - offset < size) throw new FrameError("a field ends behind its frame");
    fields.push(body.subarray(offset, offset + size));
    offset += size;
  }
  if (offset !== body.length) throw new FrameError("a frame has bytes behind its last field");
  return fields;
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #buffered = 0;

  /** Takes the next bytes of the stream; returns the fields of every frame that is complete with them. */
  push(chunk: Buffer): readonly (readonly Buffer[])[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const frames: (readonly Buffer[])[] = [];
    while (this.#buffered >= WORD) {
      const rest = this.#head().readUInt32LE(0);
      if (rest > MAX_FRAME) throw new FrameError(`a frame announces ${rest} bytes, more than ${MAX_FRAME}`);
      if (this.#buffered < WORD + rest) break;
      frames.push(decodeFields(this.#take(WORD + rest).subarray(WORD)));
    }
    return frames;
  }

  /** The first chunk, with at least the length word in it. Joining all chunks at each push would be quadratic. */
  #head(): Buffer {
    const [first] = this.#chunks;
    if (first && first.length >= WORD) return first;
    return this.#join();
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #take(size: number): Buffer {
    const joined = this.#join();
    this.#buffered -= size;
    this.#chunks = this.#buffered > 0 ? [joined.subarray(size)] : [];
    return joined.subarray(0, size);
  }
}

import { viewOf } from "../../compiler/semantics/bytes.js";
import type { ByteInput } from "./byte-input.js";
import { type CapturedFrame, CaptureError, MAX_CAPTURED } from "./frame.js";

/** draft-ietf-opsawg-pcap, section 4: the magic number tells the byte order and what a timestamp's second word counts. */
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER = 24;
const PACKET_HEADER = 16;

interface Format {
  readonly littleEndian: boolean;
  /** Nanoseconds that a timestamp's second word counts. */
  readonly unit: bigint;
}

export function isPcap(magic: Uint8Array): boolean {
  return formatOf(magic) !== undefined;
}

function formatOf(magic: Uint8Array): Format | undefined {
  if (magic.length < 4) return undefined;
  for (const littleEndian of [true, false]) {
    const number = viewOf(magic).getUint32(0, littleEndian);
    if (number === MICROSECONDS) return { littleEndian, unit: 1000n };
    if (number === NANOSECONDS) return { littleEndian, unit: 1n };
  }
  return undefined;
}

export function* pcapFrames(input: ByteInput): Generator<CapturedFrame> {
  const header = input.take(FILE_HEADER);
  const format = formatOf(header);
  if (!format || header.length < FILE_HEADER) throw new CaptureError(0, "its file header is cut off");
  // The upper half of the word tells of a frame check sequence, which is padding here.
  const linkType = viewOf(header).getUint32(20, format.littleEndian) & 0xffff;
  for (;;) {
    const frame = readFrame(input, format, linkType);
    if (!frame) return;
    yield frame;
  }
}

function readFrame(
  input: ByteInput,
  { littleEndian, unit }: Format,
  linkType: number,
): CapturedFrame | undefined {
  const { offset } = input;
  const header = input.take(PACKET_HEADER);
  if (header.length === 0) return undefined;
  if (header.length < PACKET_HEADER) throw new CaptureError(offset, "a packet's header is cut off");
  const [seconds = 0, fraction = 0, captured = 0, originalLength = 0] = [0, 4, 8, 12].map((at) =>
    viewOf(header).getUint32(at, littleEndian),
  );
  if (captured > MAX_CAPTURED) {
    throw new CaptureError(offset, `a packet of ${captured} bytes, where ${MAX_CAPTURED} are the most`);
  }
  const bytes = input.take(captured);
  if (bytes.length < captured) {
    throw new CaptureError(
      offset,
      `the file ends there: ${captured - bytes.length} of ${captured} bytes of its last packet are missing`,
    );
  }
  const at = BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * unit;
  return { offset, linkType, littleEndian, bytes, originalLength: Math.max(captured, originalLength), at };
}

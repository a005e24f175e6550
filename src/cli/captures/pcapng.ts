import { viewOf } from "../../compiler/semantics/bytes.js";
import type { ByteInput } from "./byte-input.js";
import { type CapturedFrame, CaptureError, MAX_CAPTURED } from "./frame.js";

/** draft-ietf-opsawg-pcapng: blocks of type, length, body, and the length again; each in its section's byte order. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Wireshark's limit: a longer block is damage. */
const MAX_BLOCK = 16 * 1024 * 1024;

/** No machine has so many; they are kept in memory. */
const MAX_INTERFACES = 65_536;

const END_OF_OPTIONS = 0;
const TIME_RESOLUTION = 9;
const TIME_OFFSET = 14;
const SECOND = 1_000_000_000n;

interface Interface {
  readonly linkType: number;
  /** Bytes that are kept of each packet; 0: all. */
  readonly snapLength: number;
  /** What a timestamp counts, in parts of a second. */
  readonly resolution: bigint;
  /** Nanoseconds that are added to each timestamp. */
  readonly timeOffset: bigint;
}

interface Section {
  readonly littleEndian: boolean;
  readonly interfaces: Interface[];
}

interface Block {
  readonly offset: number;
  readonly type: number;
  /** Between the two lengths. */
  readonly body: DataView;
}

export function isPcapng(magic: Uint8Array): boolean {
  return magic.length === 4 && viewOf(magic).getUint32(0) === SECTION_HEADER;
}

export function* pcapngFrames(input: ByteInput): Generator<CapturedFrame> {
  let section: Section = { littleEndian: true, interfaces: [] };
  while (input.peek(1).length > 0) {
    // The type of a section's header reads the same in both byte orders.
    if (isPcapng(input.peek(4))) section = { littleEndian: byteOrder(input), interfaces: [] };
    const block = readBlock(input, section);
    if (block.type === INTERFACE_DESCRIPTION) section.interfaces.push(readInterface(block, section));
    const frame = readFrame(block, section);
    if (frame) yield frame;
  }
}

function byteOrder(input: ByteInput): boolean {
  const start = input.peek(12);
  if (start.length === 12) {
    if (viewOf(start).getUint32(8, true) === BYTE_ORDER_MAGIC) return true;
    if (viewOf(start).getUint32(8, false) === BYTE_ORDER_MAGIC) return false;
  }
  throw new CaptureError(input.offset, "a section's header does not say its byte order");
}

function readBlock(input: ByteInput, { littleEndian }: Section): Block {
  const { offset } = input;
  const head = input.peek(8);
  if (head.length < 8) throw new CaptureError(offset, "a block's header is cut off");
  const [type, length] = [viewOf(head).getUint32(0, littleEndian), viewOf(head).getUint32(4, littleEndian)];
  if (length < 12 || length % 4 !== 0 || length > MAX_BLOCK)
    throw new CaptureError(offset, `a block says that it is ${length} bytes long, which none is`);
  const bytes = input.take(length);
  if (bytes.length < length) {
    throw new CaptureError(
      offset,
      `the file ends there: ${length - bytes.length} of ${length} bytes of its last block are missing`,
    );
  }
  const again = viewOf(bytes).getUint32(length - 4, littleEndian);
  if (again !== length) {
    throw new CaptureError(offset, `a block says that it is ${length} bytes long, and at its end ${again}`);
  }
  return { offset, type, body: viewOf(bytes.subarray(8, length - 4)) };
}

function readInterface({ offset, body }: Block, { littleEndian, interfaces }: Section): Interface {
  if (body.byteLength < 8) throw new CaptureError(offset, "an interface's description is cut off");
  if (interfaces.length >= MAX_INTERFACES)
    throw new CaptureError(offset, `more than ${MAX_INTERFACES} interfaces`);
  const read = { linkType: body.getUint16(0, littleEndian), snapLength: body.getUint32(4, littleEndian) };
  let resolution = 1_000_000n;
  let timeOffset = 0n;
  for (let at = 8; at + 4 <= body.byteLength; ) {
    const [code, length] = [body.getUint16(at, littleEndian), body.getUint16(at + 2, littleEndian)];
    if (code === END_OF_OPTIONS) break;
    if (at + 4 + length > body.byteLength) throw new CaptureError(offset, "an interface's option is cut off");
    if (code === TIME_RESOLUTION && length >= 1) resolution = resolutionOf(body.getUint8(at + 4));
    if (code === TIME_OFFSET && length >= 8) timeOffset = body.getBigInt64(at + 4, littleEndian) * SECOND;
    at += 4 + padded(length);
  }
  return { ...read, resolution, timeOffset };
}

/** The top bit tells whether the other seven are a power of 2 or of 10. */
function resolutionOf(byte: number): bigint {
  return (byte & 0x80 ? 2n : 10n) ** BigInt(byte & 0x7f);
}

function readFrame(block: Block, section: Section): CapturedFrame | undefined {
  switch (block.type) {
    case ENHANCED_PACKET:
      return timedFrame(block, section, (body, little) => body.getUint32(0, little));
    case OBSOLETE_PACKET:
      return timedFrame(block, section, (body, little) => body.getUint16(0, little));
    case SIMPLE_PACKET:
      return simpleFrame(block, section);
    default:
      return undefined;
  }
}

/** Both kinds: the interface, the timestamp's halves, the captured and the original length, the packet. */
function timedFrame(
  block: Block,
  section: Section,
  interfaceIn: (body: DataView, littleEndian: boolean) => number,
): CapturedFrame {
  const { offset, body } = block;
  const { littleEndian } = section;
  if (body.byteLength < 20) throw new CaptureError(offset, "a packet's block is too short for its header");
  const of = interfaceNumber(block, section, interfaceIn(body, littleEndian));
  const [high = 0, low = 0, captured = 0, original = 0] = [4, 8, 12, 16].map((at) =>
    body.getUint32(at, littleEndian),
  );
  const time = (BigInt(high) << 32n) | BigInt(low);
  const at = (time * SECOND) / of.resolution + of.timeOffset;
  return frameOf(block, section, { of, start: 20, captured, original, at });
}

/** Without a captured length: it follows from the original one and the interface's snap length. */
function simpleFrame(block: Block, section: Section): CapturedFrame {
  const { offset, body } = block;
  if (body.byteLength < 4) throw new CaptureError(offset, "a packet's block is too short for its header");
  const of = interfaceNumber(block, section, 0);
  const original = body.getUint32(0, section.littleEndian);
  const captured = of.snapLength === 0 ? original : Math.min(original, of.snapLength);
  return frameOf(block, section, { of, start: 4, captured, original, at: null });
}

interface Place {
  readonly of: Interface;
  /** Where the packet's bytes start in the block's body. */
  readonly start: number;
  readonly captured: number;
  readonly original: number;
  readonly at: bigint | null;
}

function frameOf({ offset, body }: Block, { littleEndian }: Section, place: Place): CapturedFrame {
  const { of, start, captured, original, at } = place;
  if (captured > MAX_CAPTURED) {
    throw new CaptureError(offset, `a packet of ${captured} bytes, where ${MAX_CAPTURED} are the most`);
  }
  if (start + captured > body.byteLength) throw new CaptureError(offset, "a packet is longer than its block");
  const bytes = new Uint8Array(body.buffer, body.byteOffset + start, captured);
  return {
    offset,
    linkType: of.linkType,
    littleEndian,
    bytes,
    originalLength: Math.max(captured, original),
    at,
  };
}

function interfaceNumber({ offset }: Block, { interfaces }: Section, index: number): Interface {
  const found = interfaces[index];
  if (found) return found;
  throw new CaptureError(offset, `a packet of interface ${index}, which no block before it describes`);
}

/** Options are filled up to words of 4 bytes. */
function padded(length: number): number {
  return (length + 3) & ~3;
}

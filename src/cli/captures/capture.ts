import type { ByteInput } from "./byte-input.js";
import { type CapturedFrame, CaptureError } from "./frame.js";
import { isPcap, pcapFrames } from "./pcap.js";
import { isPcapng, pcapngFrames } from "./pcapng.js";

/** The packets of a capture in either format, in their order. Throws `CaptureError` where the bytes are none. */
export function capturedFrames(input: ByteInput): Generator<CapturedFrame> {
  const magic = input.peek(4);
  if (isPcap(magic)) return pcapFrames(input);
  if (isPcapng(magic)) return pcapngFrames(input);
  throw new CaptureError(0, `it is no capture: ${guess(magic)}`);
}

function guess(magic: Uint8Array): string {
  const [first, second] = magic;
  if (first === undefined) return "it is empty";
  if (first === 0x1f && second === 0x8b) return "it is packed by gzip; unpack it first";
  if (first === 0x28 && second === 0xb5) return "it is packed by zstd; unpack it first";
  return `it begins with ${Buffer.from(magic).toString("hex")}, which neither pcap nor pcapng does`;
}

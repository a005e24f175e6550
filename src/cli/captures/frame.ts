/** One packet of a capture, with the headers of its link. */
export interface CapturedFrame {
  /** Its place in the capture, in bytes from the start. */
  readonly offset: number;
  /** As in the registry of link-layer header types (tcpdump.org/linktypes.html). */
  readonly linkType: number;
  /** The byte order of the machine that captured it: some link headers are written in it. */
  readonly littleEndian: boolean;
  /** What was kept of it; valid until the next frame is read. */
  readonly bytes: Uint8Array;
  /** Its length on the wire. */
  readonly originalLength: number;
  /** In nanoseconds since 1970; null: the capture does not say. */
  readonly at: bigint | null;
}

/** The file is no capture that can be read, or no longer one from `offset` on. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";

  constructor(
    readonly offset: number,
    message: string,
  ) {
    super(message);
  }
}

/** libpcap's MAXIMUM_SNAPLEN: no packet of a capture is longer. */
export const MAX_CAPTURED = 262_144;

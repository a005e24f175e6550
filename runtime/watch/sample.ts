/** What XDP drops, as bpf-templates/watch.bpf.c samples it. */
export interface DropSample {
  /** Nanoseconds since boot. */
  readonly at: bigint;
  /** Index of the device that the frame came in by. */
  readonly device: number;
  /** Bytes of the whole frame. */
  readonly length: number;
  readonly cause: "rule" | "malformed" | "closed";
  /** The customer's; null: of nobody. */
  readonly slot: number | null;
  /** Index of the rule's counter, where a rule is the cause. */
  readonly rule: number;
  /** What was kept of the frame. */
  readonly frame: Uint8Array;
}

/** enum tg_dropped. */
const CAUSES = ["rule", "malformed", "closed"] as const;
const NOBODY = 0xffff_ffff;
const HEAD = 32;

/** Reads a struct tg_sample; undefined where it is none. */
export function readSample(bytes: Buffer): DropSample | undefined {
  if (bytes.length < HEAD) return undefined;
  const word = (index: number) => bytes.readUInt32LE(index * 4);
  const cause = CAUSES[word(6)];
  const kept = word(7);
  if (!cause || bytes.length < HEAD + kept) return undefined;
  return {
    at: bytes.readBigUInt64LE(0),
    device: word(2),
    length: word(3),
    cause,
    slot: word(4) === NOBODY ? null : word(4),
    rule: word(5),
    frame: bytes.subarray(HEAD, HEAD + kept),
  };
}

/** The stamp of the generation that judged the frame: bpf-templates/stamp.h. 0: none. */
export function stampIn(ethernet: Uint8Array): number {
  const isOurs = STAMP_ADDRESS.every((byte, index) => ethernet[SOURCE + index] === byte);
  return isOurs ? (ethernet[SOURCE + STAMP_ADDRESS.length] ?? 0) : 0;
}

/** Where an Ethernet header has its source, and what that begins with. */
const SOURCE = 6;
const STAMP_ADDRESS = [0x02, 0x54, 0x47, 0x01, 0x00] as const;

/** Captures built byte by byte. */
export interface Recorded {
  readonly bytes: Uint8Array;
  /** On the wire; without it: all was captured. */
  readonly original?: number;
  /** In what the format counts. */
  readonly time?: bigint;
}

export interface PcapFormat {
  readonly little: boolean;
  readonly nanoseconds?: boolean;
  readonly linkType: number;
}

export function pcapFile(
  { little, nanoseconds, linkType }: PcapFormat,
  packets: readonly Recorded[],
): Uint8Array {
  const magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const second = nanoseconds ? 1_000_000_000n : 1_000_000n;
  const header = [u32(little, magic), u16(little, 2), u16(little, 4), u32(little, 0, 0, 262_144, linkType)];
  return joined([
    ...header,
    ...packets.flatMap(({ bytes, original, time = 0n }) => [
      u32(little, Number(time / second), Number(time % second), bytes.length, original ?? bytes.length),
      bytes,
    ]),
  ]);
}

/** `little`: the byte order of the whole section. */
export function section(little: boolean, ...blocks: readonly Uint8Array[]): Uint8Array {
  const start = joined([
    u32(little, 0x1a2b3c4d),
    u16(little, 1),
    u16(little, 0),
    u32(little, 0xffffffff, 0xffffffff),
  ]);
  return joined([block(little, 0x0a0d0d0a, start), ...blocks]);
}

export function block(little: boolean, type: number, body: Uint8Array): Uint8Array {
  const whole = padded(body);
  const length = u32(little, whole.length + 12);
  return joined([u32(little, type), length, whole, length]);
}

export function interfaceBlock(
  little: boolean,
  linkType: number,
  snapLength = 0,
  options: readonly Uint8Array[] = [],
): Uint8Array {
  return block(
    little,
    1,
    joined([u16(little, linkType), u16(little, 0), u32(little, snapLength), ...options]),
  );
}

export function option(little: boolean, code: number, value: Uint8Array): Uint8Array {
  return joined([u16(little, code), u16(little, value.length), padded(value)]);
}

export function packetBlock(
  little: boolean,
  of: number,
  { bytes, original, time = 0n }: Recorded,
): Uint8Array {
  const [high, low] = [Number(time >> 32n), Number(time & 0xffffffffn)];
  const head = u32(little, of, high, low, bytes.length, original ?? bytes.length);
  return block(
    little,
    6,
    joined([head, padded(bytes), option(little, 1, text("a comment")), u32(little, 0)]),
  );
}

/** The older kind, with a count of drops behind the interface's number. */
export function obsoletePacketBlock(little: boolean, of: number, { bytes, time = 0n }: Recorded): Uint8Array {
  const [high, low] = [Number(time >> 32n), Number(time & 0xffffffffn)];
  const head = joined([
    u16(little, of),
    u16(little, 0xffff),
    u32(little, high, low, bytes.length, bytes.length),
  ]);
  return block(little, 2, joined([head, bytes]));
}

export function simplePacketBlock(little: boolean, { bytes, original }: Recorded): Uint8Array {
  return block(little, 3, joined([u32(little, original ?? bytes.length), bytes]));
}

export function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function u16(little: boolean, ...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * values.length));
  for (const [index, value] of values.entries()) view.setUint16(2 * index, value, little);
  return new Uint8Array(view.buffer);
}

export function u32(little: boolean, ...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value, little);
  return new Uint8Array(view.buffer);
}

function padded(bytes: Uint8Array): Uint8Array {
  return joined([bytes, new Uint8Array(-bytes.length & 3)]);
}

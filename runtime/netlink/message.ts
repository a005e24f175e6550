/**
 * Messages of rtnetlink(7) as bytes. Numbers are in the order of the machine, all of ours little-endian; addresses and ports
 * in that of the network.
 */

/** `struct nlmsghdr`: length, type, flags, sequence number, port id. */
const HEADER = 16;

/** `struct nlattr`: length, type. */
const ATTRIBUTE = 4;

/** Of an attribute's type the upper two bits say how its value is written (NLA_TYPE_MASK). */
const TYPE_MASK = 0x3fff;

/** NLM_F_* of linux/netlink.h. */
export const FLAG = { echo: 0x8, replace: 0x100, exclusive: 0x200, dump: 0x300, create: 0x400 };

/** NLMSG_ALIGN, which is NLA_ALIGN, too. */
function aligned(size: number): number {
  return (size + 3) & ~3;
}

/** A request, without the flags that all have; `body` is the fixed structure of its type, and attributes. */
export function message(type: number, flags: number, ...body: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(body);
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(HEADER + bytes.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  return Buffer.concat([header, bytes], aligned(HEADER + bytes.length));
}

export function attribute(type: number, ...value: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(value);
  const header = Buffer.alloc(ATTRIBUTE);
  header.writeUInt16LE(ATTRIBUTE + bytes.length, 0);
  header.writeUInt16LE(type, 2);
  return Buffer.concat([header, bytes], aligned(ATTRIBUTE + bytes.length));
}

export function u8(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length);
  // As those below, it throws where a number has no room.
  numbers.forEach((number, at) => void bytes.writeUInt8(number, at));
  return bytes;
}

export function u16(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(number);
  return bytes;
}

export function u16be(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
}

export function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

export function u32be(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

/** A name, with the NUL that ends it. */
export function text(name: string): Buffer {
  return Buffer.from(`${name}\0`);
}

/** An Ethernet address such as `02:54:47:00:00:01`. */
export function mac(address: string): Uint8Array {
  return Uint8Array.from(address.split(":"), (part) => Number.parseInt(part, 16));
}

/** What the kernel answered. */
export interface Message {
  readonly type: number;
  /** Number of the request that it answers. */
  readonly request: number;
  readonly body: Buffer;
}

/** Cuts up messages that lie one behind the other. Throws a RangeError for bytes that are none. */
export function readMessages(bytes: Buffer): readonly Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at);
    if (size < HEADER || size > bytes.length - at) throw new RangeError(`a netlink message of ${size} bytes`);
    const body = bytes.subarray(at + HEADER, at + size);
    messages.push({ type: bytes.readUInt16LE(at + 4), request: bytes.readUInt32LE(at + 8), body });
    at += aligned(size);
  }
  return messages;
}

export type Attributes = ReadonlyMap<number, Buffer>;

/** The attributes from `at` on, by type; of several of one type the last. Throws a RangeError for bytes that are none. */
export function readAttributes(bytes: Buffer, at = 0): Attributes {
  const attributes = new Map<number, Buffer>();
  for (let next = at; bytes.length - next >= ATTRIBUTE; ) {
    const size = bytes.readUInt16LE(next);
    if (size < ATTRIBUTE || size > bytes.length - next)
      throw new RangeError(`a netlink attribute of ${size} bytes`);
    attributes.set(bytes.readUInt16LE(next + 2) & TYPE_MASK, bytes.subarray(next + ATTRIBUTE, next + size));
    next += aligned(size);
  }
  return attributes;
}

/** A name without the NUL that ends it. */
export function readText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

import { type Address, formatAddress } from "../ir/address.js";
import { WIRE_FIELDS } from "../ir/wire.js";
import { viewOf } from "./bytes.js";
import { decode, type Packet } from "./decode.js";
import { readNumber } from "./fields.js";
import { parsePacket } from "./packet-text.js";
import { FLAG_LETTERS } from "./packet-values.js";

/**
 * The shortest text that `parsePacket` reads back as exactly these bytes: with ports and flags where that is
 * enough, with the bare protocol and payload, or else as `hex=`.
 */
export function formatPacket(bytes: Uint8Array): string {
  const decoded = decode(bytes);
  const candidates =
    decoded.kind === "packet" ? [describe(decoded.packet), describePlain(decoded.packet)] : [];
  return candidates.find((text) => meansExactly(text, bytes)) ?? `hex=${hex(bytes)}`;
}

function meansExactly(text: string, bytes: Uint8Array): boolean {
  const parsed = parsePacket(text);
  return parsed.kind === "packet" && Buffer.compare(parsed.bytes, bytes) === 0;
}

function describe(packet: Packet): string {
  const { transport, bytes } = packet;
  if (!transport || transport.header === "gre") return describePlain(packet);
  const headerLength = transport.header === "tcp" ? 20 : 8;
  const payload = bytes.subarray(transport.offset + headerLength);
  switch (transport.header) {
    case "tcp":
      return join(
        `tcp ${endpoints(packet, "tcp")}`,
        flags(readNumber(packet, WIRE_FIELDS["tcp.flags"])),
        rest(packet, payload),
      );
    case "udp":
      return join(`udp ${endpoints(packet, "udp")}`, rest(packet, payload));
    case "icmp":
    case "icmp6": {
      const type = readNumber(packet, WIRE_FIELDS[`${transport.header}.type`]);
      const code = readNumber(packet, WIRE_FIELDS[`${transport.header}.code`]);
      return join(
        `${transport.header} ${addresses(packet)} type=${type} code=${code}`,
        rest(packet, payload),
      );
    }
  }
}

function describePlain(packet: Packet): string {
  const start = packet.family === 4 ? 20 : packet.bytes[6] === 44 ? 48 : 40;
  return join(`proto=${packet.protocol} ${addresses(packet)}`, rest(packet, packet.bytes.subarray(start)));
}

function addresses({ source, destination }: Packet): string {
  return `${formatAddress(source)} > ${formatAddress(destination)}`;
}

function endpoints(packet: Packet, header: "tcp" | "udp"): string {
  const from = endpoint(packet.source, readNumber(packet, WIRE_FIELDS[`${header}.srcport`]));
  const to = endpoint(packet.destination, readNumber(packet, WIRE_FIELDS[`${header}.dstport`]));
  return `${from} > ${to}`;
}

function endpoint(address: Address, port: bigint | undefined): string {
  const text = formatAddress(address);
  return address.family === 4 ? `${text}:${port}` : `[${text}]:${port}`;
}

function flags(value: bigint | undefined): string {
  const set = Object.entries(FLAG_LETTERS).filter(([, bit]) => (Number(value ?? 0n) & bit) !== 0);
  return set.length === 0 ? "" : `flags=${set.map(([letter]) => letter).join("")}`;
}

/** What the IP header says that is not the default, and what follows the transport header. */
function rest(packet: Packet, payload: Uint8Array): string {
  const view = viewOf(packet.bytes);
  const v4 = packet.family === 4;
  const fragmented = v4
    ? (view.getUint16(6) & 0x3fff) !== 0
    : packet.bytes[6] === 44 && packet.bytes.length >= 48;
  const fragment = fragmented ? view.getUint16(v4 ? 6 : 42) : 0;
  const id = v4 ? view.getUint16(4) : fragmented ? view.getUint32(44) : 0;
  const ttl = view.getUint8(v4 ? 8 : 7);
  const dscp = v4 ? view.getUint8(1) >> 2 : (view.getUint16(0) >> 6) & 0x3f;
  const offset = v4 ? (fragment & 0x1fff) * 8 : fragment & 0xfff8;
  const more = (fragment & (v4 ? 0x2000 : 1)) !== 0;
  return join(
    ttl === 64 ? "" : `ttl=${ttl}`,
    dscp === 0 ? "" : `dscp=${dscp}`,
    id === 0 ? "" : `id=${id}`,
    fragmented ? `frag=${offset}${more ? "+" : ""}` : "",
    payloadText(packet, payload),
  );
}

/** Zeros are padding to a length; anything else is written out. */
function payloadText(packet: Packet, payload: Uint8Array): string {
  if (payload.length === 0) return "";
  return payload.every((byte) => byte === 0) ? `len=${packet.bytes.length}` : `payload=${hex(payload)}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

import { formatAddress } from "../ir/address.js";
import { WIRE_FIELDS, type WireName } from "../ir/wire.js";
import type { Packet } from "./decode.js";
import { readNumber } from "./fields.js";
import { FLAG_LETTERS } from "./packet-values.js";

/**
 * A packet in the words of docs/packets.md, short: what is not said of it here may be anything. `known`: so many of its bytes
 * are its own, and of the others nothing is said.
 */
export function summarize(whole: Packet, known = whole.bytes.length): string {
  const packet = { ...whole, bytes: whole.bytes.subarray(0, known) };
  const words = [
    ...kindAndEnds(packet),
    first(packet, "ip4.ttl", "ip6.hop_limit", "ttl"),
    ...fragment(packet),
    `len=${whole.bytes.length}`,
    vlan(packet),
  ];
  return words.filter((word) => word !== "").join(" ");
}

function kindAndEnds(packet: Packet): readonly string[] {
  const header = packet.transport?.header;
  switch (header) {
    case "tcp":
    case "udp": {
      const [from, to] = [number(packet, `${header}.srcport`), number(packet, `${header}.dstport`)];
      const flags = header === "tcp" ? number(packet, "tcp.flags") : undefined;
      return [header, ends(packet, from, to), flags ? flagsText(flags) : ""];
    }
    case "icmp":
    case "icmp6":
      return [
        header,
        ends(packet),
        first(packet, `${header}.type`, `${header}.type`, "type"),
        first(packet, `${header}.code`, `${header}.code`, "code"),
      ];
    default:
      return [packet.protocol === null ? "proto=?" : `proto=${packet.protocol}`, ends(packet)];
  }
}

function ends({ source, destination }: Packet, from?: number, to?: number): string {
  return `${end(formatAddress(source), from)} > ${end(formatAddress(destination), to)}`;
}

function end(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function fragment(packet: Packet): readonly string[] {
  const [offset, more] = [
    number(packet, "ip4.frag.offset") ?? number(packet, "fragment6.offset") ?? 0,
    number(packet, "ip4.frag.more") ?? number(packet, "fragment6.more") ?? 0,
  ];
  return offset === 0 && more === 0 ? [] : [`frag=${offset * 8}${more === 0 ? "" : "+"}`];
}

function vlan(packet: Packet): string {
  const id = number(packet, "eth.vlan");
  return id === undefined ? "" : `vlan=${id}`;
}

function first(packet: Packet, one: WireName, other: WireName, key: string): string {
  const value = number(packet, one) ?? number(packet, other);
  return value === undefined ? "" : `${key}=${value}`;
}

function number(packet: Packet, name: WireName): number | undefined {
  const value = readNumber(packet, WIRE_FIELDS[name]);
  return value === undefined ? undefined : Number(value);
}

/** As packets are written in text. */
export function flagsText(flags: number): string {
  const letters = Object.entries(FLAG_LETTERS).flatMap(([letter, bit]) => (flags & bit ? [letter] : []));
  return letters.length === 0 ? "no flags" : `flags=${letters.join("")}`;
}

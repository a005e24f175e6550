import { didYouMean } from "../diagnostics/did-you-mean.js";
import type { Address } from "../ir/address.js";
import { CT_STATES } from "../ir/fields.js";
import type { PacketSpec } from "./packet-bytes.js";

/** A mistake in a packet's text; `start` and `end` are offsets in that text. */
export interface PacketProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

/** TCP flags by their letters, as tcpdump prints them, but A where it prints a dot. */
export const FLAG_LETTERS = {
  F: 0x01,
  S: 0x02,
  R: 0x04,
  P: 0x08,
  A: 0x10,
  U: 0x20,
  E: 0x40,
  W: 0x80,
} as const;

/** The largest IPv4 packet; IPv6 says its payload in 16 bits too. */
const MAX_LENGTH = 65_535;
/** What fits behind an IPv4 and a TCP header. */
const MAX_PAYLOAD = MAX_LENGTH - 40;

/** A word of the text, or a part of one. */
export interface Word {
  readonly text: string;
  readonly start: number;
}

/** Where the reader of one text notes what is wrong. */
export class Problems {
  readonly found: PacketProblem[] = [];

  at({ text, start }: Word, message: string): undefined {
    this.found.push({ message, start, end: start + text.length });
    return undefined;
  }
}

export function valueAfterEquals({ text, start }: Word): Word {
  const equals = text.indexOf("=") + 1;
  return { text: text.slice(equals), start: start + equals };
}

export function readNumber(word: Word | undefined, max: number, problems: Problems): number | undefined {
  if (word === undefined) return undefined;
  const value = /^(\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(word.text) ? Number(word.text) : Number.NaN;
  return value <= max ? value : problems.at(word, `\`${word.text}\` is not a number from 0 to ${max}`);
}

export function readId(
  word: Word | undefined,
  source: Address,
  fragment: PacketSpec["fragment"],
  problems: Problems,
): number {
  if (word && source.family === 6 && !fragment)
    problems.at(word, "an IPv6 packet has an id only with `frag=`");
  return readNumber(word, source.family === 4 ? 0xffff : 0xffffffff, problems) ?? 0;
}

export function readLength(word: Word | undefined, min: number, problems: Problems): number | null {
  const length = readNumber(word, MAX_LENGTH, problems);
  if (word && length !== undefined && length < min) problems.at(word, `the IP header alone has ${min} bytes`);
  return length ?? null;
}

export function readFragment(word: Word | undefined, problems: Problems): PacketSpec["fragment"] {
  if (word === undefined) return null;
  const more = word.text.endsWith("+");
  const offset = readNumber({ ...word, text: more ? word.text.slice(0, -1) : word.text }, 0xffff, problems);
  if (offset === undefined) return null;
  if (offset % 8 !== 0) problems.at(word, "a fragment's offset is in bytes, a multiple of 8");
  return { offset, more };
}

export function readFlags(word: Word | undefined, problems: Problems): number {
  let flags = 0;
  for (const { 0: letter, index } of word?.text.matchAll(/./gsu) ?? []) {
    const bit = Object.entries(FLAG_LETTERS).find(([name]) => name === letter)?.[1];
    if (word && bit === undefined) {
      const place = { text: letter, start: word.start + index };
      problems.at(
        place,
        `unknown TCP flag \`${letter}\`: the letters are ${Object.keys(FLAG_LETTERS).join("")}`,
      );
    }
    flags |= bit ?? 0;
  }
  return flags;
}

export function readPayload(word: Word | undefined, problems: Problems): Uint8Array {
  const bytes = (word && readHex(word, problems)) ?? new Uint8Array();
  if (word && bytes.length > MAX_PAYLOAD) problems.at(word, `a payload has at most ${MAX_PAYLOAD} bytes`);
  return bytes;
}

export function readHex(word: Word, problems: Problems): Uint8Array | undefined {
  if (!/^([0-9a-fA-F]{2})*$/.test(word.text))
    return problems.at(word, "expected bytes, two hexadecimal digits each");
  if (word.text.length / 2 > MAX_LENGTH) return problems.at(word, `a packet has at most ${MAX_LENGTH} bytes`);
  return Uint8Array.from(Buffer.from(word.text, "hex"));
}

/** What connection tracking says of the packet, by its name. */
export function readConnection(word: Word | undefined, problems: Problems): number | undefined {
  if (word === undefined) return undefined;
  const state = Object.entries(CT_STATES).find(([name]) => name === word.text)?.[1];
  if (state !== undefined) return state;
  const names = Object.keys(CT_STATES);
  const hint = didYouMean(word.text, names) ?? `write ${names.join(", ")}`;
  return problems.at(word, `unknown state of a connection \`${word.text}\`: ${hint}`);
}

export function readTime(word: Word | undefined, problems: Problems): bigint | null {
  if (word === undefined) return null;
  // Above 2^62 the arrival times of a limit could leave 64 bits.
  if (/^\d{1,19}$/.test(word.text) && BigInt(word.text) < 1n << 62n) return BigInt(word.text);
  problems.at(word, "expected a time in nanoseconds, below 2^62");
  return null;
}

import type { Family } from "../compiler/ir/address.js";
import { ALONE, decode, type Surroundings } from "../compiler/semantics/decode.js";
import { type Carried, stepOverEthernet } from "../compiler/semantics/ethernet.js";
import { type PacketProblem, parsePacket } from "../compiler/semantics/packet-text.js";
import { UsageError } from "./exit.js";
import { printable, underline } from "./render/underline.js";

/** A packet that the user wrote, and when it arrives (nanoseconds). */
export interface WrittenPacket {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
  readonly at: bigint;
  /** What its frame announces, if it was written with one. */
  readonly family?: Family;
}

/** Reads one packet; a mistake is a usage error that marks the place. `now`: its time, if it names none. */
export function readPacket(text: string, now: bigint, where = "--packet"): WrittenPacket {
  const parsed = parsePacket(text);
  switch (parsed.kind) {
    case "packet":
      return { text, bytes: parsed.bytes, surroundings: parsed.surroundings, at: parsed.at ?? now };
    case "problems":
      throw new UsageError(parsed.problems.map((problem) => frame(text, problem, where)).join("\n"));
  }
}

/** Reads a file of one packet a line; empty lines and `#` comments are passed over. */
export function readPackets(file: string, content: string): readonly WrittenPacket[] {
  let now = 0n;
  return content.split(/\r?\n/).flatMap((line, index) => {
    const text = line.replace(/#.*$/, "").trim();
    if (text === "") return [];
    const packet = readPacket(text, now, `${file}:${index + 1}`);
    now = packet.at;
    return [packet];
  });
}

function frame(text: string, problem: PacketProblem, where: string): string {
  const { line, before, carets } = underline(text, problem.start, problem.end);
  return `${where}: ${printable(problem.message)}\n  ${line}\n  ${before}${carets}`;
}

/** What the bytes of `--hex` start with. */
export type Link = "ip" | "ethernet";

/** Reads bytes as tools print them: spaces, colons and a `0x` are passed over. Without `link` the bytes must tell. */
export function readHex(text: string, link?: Link): WrittenPacket {
  const digits = text.replace(/0x|[\s:]/gi, "");
  const [, bad] = /([^\da-f])/i.exec(digits) ?? [];
  if (bad !== undefined) throw new UsageError(`--hex: \`${printable(bad)}\` is no hexadecimal digit`);
  if (digits === "") throw new UsageError("--hex: there are no bytes in it");
  if (digits.length % 2 === 1) throw new UsageError(`--hex: ${digits.length} digits; each byte is two`);
  const bytes = new Uint8Array(Buffer.from(digits, "hex"));
  if ((link ?? linkOf(bytes)) === "ip") return written(bytes);
  const carried = stepOverEthernet(bytes);
  if (carried) return written(carried.bytes, carried);
  throw new UsageError("--hex: a frame that carries neither IPv4 nor IPv6, which is left alone");
}

function linkOf(bytes: Uint8Array): Link {
  const carried = stepOverEthernet(bytes);
  const frame = carried && decode(carried.bytes, carried.family).kind === "packet";
  const packet = decode(bytes).kind === "packet";
  if (frame && packet)
    throw new UsageError("--hex: it could be a packet or a frame; say --link ip or --link ethernet");
  return packet || !carried ? "ip" : "ethernet";
}

function written(bytes: Uint8Array, carried?: Carried): WrittenPacket {
  const vlan = carried?.vlan ?? null;
  const hex = `hex=${Buffer.from(bytes).toString("hex")}`;
  return {
    text: vlan === null ? hex : `${hex} vlan=${vlan & 0xfff}`,
    bytes,
    surroundings: { ...ALONE, vlan },
    at: 0n,
    ...(carried ? { family: carried.family } : {}),
  };
}

import type { Surroundings } from "../compiler/semantics/decode.js";
import { type PacketProblem, parsePacket } from "../compiler/semantics/packet-text.js";
import { UsageError } from "./exit.js";
import { printable, underline } from "./render/underline.js";

/** A packet that the user wrote, and when it arrives (nanoseconds). */
export interface WrittenPacket {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
  readonly at: bigint;
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

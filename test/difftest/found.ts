import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/cli/package-root.js";
import { ALONE } from "../../src/compiler/semantics/decode.js";
import type { TestPacket } from "../../src/verify/packets.js";
import type { WordsMismatch } from "./words.js";

/** Policies and packets that once were judged in two ways: NAME.json. `npm test` tries each again. */
const FOLDER = join(packageRoot(), "test/difftest/found");

export interface Found {
  readonly policy: string;
  /** In the order in which they are sent. */
  readonly packets: readonly TestPacket[];
  /** What rules should say of packets, where their words were misread. */
  readonly words: readonly WordsMismatch[];
  /** What went wrong when it was found. */
  readonly why: readonly string[];
}

interface FoundFile {
  readonly why: readonly string[];
  readonly policy: readonly string[];
  readonly packets: readonly PacketRow[];
  readonly words: readonly (PacketRow & { readonly rule: string; readonly holds: boolean })[];
}

interface PacketRow {
  /** Hexadecimal, from the IP header on. */
  readonly packet: string;
  readonly vlan: number | null;
  /** Nanoseconds, decimal. */
  readonly at: string;
}

/** Writes it down; the file. */
export function keep({ policy, packets, words, why }: Found): string {
  const content: FoundFile = {
    why,
    policy: policy.trimEnd().split("\n"),
    packets: packets.map(rowOf),
    words: words.map(({ packet, rule, holds }) => ({ ...rowOf(packet), rule, holds })),
  };
  const text = `${JSON.stringify(content, null, 2)}\n`;
  const name = createHash("sha256").update(text).digest("hex").slice(0, 8);
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${name}.json`);
  writeFileSync(file, text);
  return file;
}

/** All that was ever kept, by the name of the file. */
export function allFound(): readonly (Found & { readonly name: string })[] {
  if (!existsSync(FOLDER)) return [];
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    const { why, policy, packets, words }: FoundFile = JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
    return {
      name,
      why,
      policy: `${policy.join("\n")}\n`,
      packets: packets.map(packetOf),
      words: words.map((row) => ({ packet: packetOf(row), rule: row.rule, holds: row.holds })),
    };
  });
}

function rowOf({ bytes, surroundings, at }: TestPacket): PacketRow {
  return { packet: Buffer.from(bytes).toString("hex"), vlan: surroundings.vlan, at: `${at}` };
}

function packetOf({ packet, vlan, at }: PacketRow): TestPacket {
  const bytes = Uint8Array.from(Buffer.from(packet, "hex"));
  return { bytes, surroundings: { ...ALONE, vlan }, at: BigInt(at), why: "found" };
}

import { CT_STATES } from "../../ir/fields.js";
import { decode, type Surroundings } from "../../semantics/decode.js";
import { formatPacket } from "../../semantics/packet-format.js";
import { summarize } from "../../semantics/packet-summary.js";
import { parsePacket } from "../../semantics/packet-text.js";
import type { Built } from "./build.js";

/** Whether a packet does what it is there to show. */
export type Shows = (bytes: Uint8Array, surroundings: Surroundings) => boolean;

/**
 * A text for a packet that people like to read: of what is not needed to show what the packet shows, nothing. Another packet than
 * the one given, therefore; that one, to the byte, where it takes more than the plain words for ports, flags and the like.
 * null: not even that shows it.
 */
export function plainText(found: Built, shows: Shows): string | null {
  const [kind, ...words] = wordsOf(found);
  const isEnough = (some: readonly string[]): boolean => {
    const parsed = parsePacket([kind, ...some].join(" "));
    return parsed.kind === "packet" && shows(parsed.bytes, parsed.surroundings);
  };
  // A TCP packet without any flag would make readers wonder.
  const least = words.filter((word) => word.startsWith("flags="));
  if (isEnough(least)) return [kind, ...least].join(" ");
  if (!isEnough(words)) return shows(found.bytes, found.surroundings) ? exactText(found) : null;
  const needed = words.reduce((left, word) => {
    if (least.includes(word)) return left;
    const without = left.filter((one) => one !== word);
    return isEnough(without) ? without : left;
  }, words);
  return [kind, ...needed].join(" ");
}

/** A VLAN ID has 12 of the 16 bits (802.1Q). */
const VLAN_ID = 0xfff;

/** The packet as `tidegate explain --packet` reads it; a tag without its priority. */
export function packetText({ bytes, surroundings: { vlan } }: Built): string {
  return `${formatPacket(bytes)}${vlan === null ? "" : ` vlan=${vlan & VLAN_ID}`}`;
}

function exactText(found: Built): string {
  return [packetText(found), ...connectionOf(found)].join(" ");
}

/** The protocol with both ends, and then one thing a word. */
function wordsOf(found: Built): readonly string[] {
  const decoded = decode(found.bytes, undefined, found.surroundings);
  if (decoded.kind === "malformed") return [packetText(found)];
  const [protocol, source, arrow, destination, ...options] = summarize(decoded.packet).split(" ");
  const kind = [protocol, source, arrow, destination].join(" ");
  return [kind, ...options, ...connectionOf(found)];
}

function connectionOf({ surroundings: { connection } }: Built): readonly string[] {
  const state = Object.entries(CT_STATES).find(([, value]) => value === connection)?.[0];
  return state === undefined || state === "new" ? [] : [`ct=${state}`];
}

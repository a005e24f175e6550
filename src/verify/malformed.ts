import type { Built } from "../compiler/analysis/packets/build.js";
import { decode } from "../compiler/semantics/decode.js";
import { type Variant, withLength } from "./variants.js";

/** What a well-formed packet becomes when one thing about it is wrong: docs/semantics.md, "Malformed packets". */
export function malformedOf({ bytes, surroundings }: Built): readonly Variant[] {
  const decoded = decode(bytes);
  if (decoded.kind === "malformed") return [];
  const made = decoded.packet.family === 4 ? malformed4(bytes) : malformed6(bytes);
  return made.map(([how, wrong]) => ({ how, bytes: wrong, surroundings }));
}

type Made = readonly (readonly [how: string, bytes: Uint8Array])[];

function malformed4(bytes: Uint8Array): Made {
  const length = bytes.length + 1;
  return [
    ["nothing", bytes.slice(0, 0)],
    ["shorter than an IPv4 header", bytes.slice(0, 19)],
    ["IP version 5", changed(bytes, [0, 0x55])],
    ["header length of 4 words", changed(bytes, [0, 0x44])],
    ["header longer than the packet", changed(withLength(bytes.slice(0, 40), 4), [0, 0x4f])],
    ["total length below the header's", changed(bytes, [2, 0], [3, 19])],
    ["longer than the frame", changed(bytes, [2, length >> 8], [3, length & 0xff])],
  ];
}

const DESTINATION_OPTIONS = [0, 1, 4, 0, 0, 0, 0];
const FRAGMENT = [0, 0, 1, 0, 0, 0, 1];

function malformed6(bytes: Uint8Array): Made {
  const length = bytes.length - 39;
  const next = bytes[6] ?? 0;
  const rest = bytes.subarray(40);
  const behind = (kind: number, headers: readonly number[]): Uint8Array => {
    return changed(withLength(Uint8Array.from([...bytes.subarray(0, 40), ...headers, ...rest]), 6), [
      6,
      kind,
    ]);
  };
  const nine = Array.from({ length: 9 }, (_, at) => [at < 8 ? 60 : next, ...DESTINATION_OPTIONS]).flat();
  return [
    ["shorter than an IPv6 header", bytes.slice(0, 39)],
    ["longer than the frame", changed(bytes, [4, length >> 8], [5, length & 0xff])],
    ["two fragment headers", behind(44, [44, ...FRAGMENT, next, ...FRAGMENT])],
    ["nine extension headers", behind(60, nine)],
    ["an extension header behind the end", behind(60, [next, 255, 1, 4, 0, 0, 0, 0])],
  ];
}

function changed(
  bytes: Uint8Array,
  ...changes: readonly (readonly [at: number, value: number])[]
): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) copy[at] = value;
  return copy;
}

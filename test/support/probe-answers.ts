import { probeBytes } from "../../runtime/health/probe-packet.js";
import { type Family, formatAddress, parseAddress } from "../../src/compiler/ir/address.js";
import type { Health, Policy, Tunnel } from "../../src/compiler/ir/policy.js";
import { range, tunnel } from "./ir.js";
import { type PacketShape, packetBytes } from "./packet-bytes.js";

/** What may come out of a tunnel whose router is asked at a private address, and whether it can be an answer. */

const ENDS = {
  4: { target: "10.0.0.1", server: "192.0.2.7", protocol: 1, request: 8, reply: 0 },
  6: { target: "fd00::1", server: "2001:db8:9::7", protocol: 58, request: 128, reply: 129 },
} as const;

const ICMP_HEADER = 8;
const LENGTH = 64;
const MAGIC = "tidegate";

export function asking(name: string, target: string, style: Health["style"] = "request"): Tunnel {
  const address = parseAddress(target);
  if (!address) throw new Error(`not an address: ${target}`);
  const health = { style, target: address, interval: 1000, timeout: 1000, up: 3, down: 3 } as const;
  return tunnel(name, "198.51.100.1", { health });
}

/** The policy, whose tunnels ask a private address of each family. */
export function askingBoth(policy: Policy): Policy {
  return { ...policy, tunnels: [asking("four", ENDS[4].target), asking("six", ENDS[6].target)] };
}

/** Echo replies with a checksum of 0, which neither the reference nor a packet filter looks at. */
function reply(family: Family, { length = LENGTH, type = ENDS[family].reply as number, magic = MAGIC } = {}) {
  const message = Buffer.alloc(length);
  message.writeUInt8(type);
  message.write(magic, ICMP_HEADER);
  return message;
}

function answer(family: Family, shape: Partial<PacketShape> = {}, from: string = ENDS[family].target) {
  const { server, protocol } = ENDS[family];
  return packetBytes({
    family,
    src: range(from).range.low,
    dst: range(server).range.low,
    proto: protocol,
    transport: reply(family),
    fragment: null,
    optionWords: 0,
    extensions: [],
    padding: 0,
    ...shape,
  });
}

/** As a router answers: what goes out, turned round; IPv4 that must not be cut up. */
function genuine(family: Family): Uint8Array {
  const { target, server } = ENDS[family];
  return probeBytes({ style: "reply", source: target, destination: server, nonce: Buffer.alloc(16, 7) });
}

type Row = readonly [name: string, packet: Uint8Array, verdict: "passed" | "spoofed"];

function rowsOf(family: Family): readonly Row[] {
  const { target, request } = ENDS[family];
  const fragment = (offset: number, more: boolean) => ({ fragment: { offset, more } });
  const other = formatAddress({ family, value: range(target).range.low + 1n });
  const foreign = { proto: family === 4 ? 58 : 1 };
  const later = { transport: Buffer.concat([Buffer.alloc(ICMP_HEADER), Buffer.from(MAGIC)]) };
  return [
    ["an answer", genuine(family), "passed"],
    ["with bytes behind its own length", answer(family, { padding: 30 }), "passed"],
    ["a byte shorter", answer(family, { transport: reply(family, { length: 63 }) }), "spoofed"],
    ["a byte longer", answer(family, { transport: reply(family, { length: 65 }) }), "spoofed"],
    ["as long as a packet may be", answer(family, { transport: reply(family, { length: 1400 }) }), "spoofed"],
    ["cut off in its opening", answer(family, { transport: reply(family, { length: 15 }) }), "spoofed"],
    ["without a byte", answer(family, { transport: Buffer.alloc(0) }), "spoofed"],
    ["without the opening", answer(family, { transport: reply(family, { magic: "Tidegate" }) }), "spoofed"],
    ["a question", answer(family, { transport: reply(family, { type: request }) }), "spoofed"],
    [
      "of the other family's type",
      answer(family, { transport: reply(family, otherType(family)) }),
      "spoofed",
    ],
    ["of the other family's protocol", answer(family, foreign), "spoofed"],
    ["of UDP", answer(family, { proto: 17 }), "spoofed"],
    ["of nobody who is asked", answer(family, {}, other), "spoofed"],
    ["a first fragment", answer(family, fragment(0, true)), "spoofed"],
    ["a later fragment", answer(family, fragment(8, true)), "spoofed"],
    ["a last fragment", answer(family, fragment(1, false)), "spoofed"],
    ["a later fragment of few bytes", answer(family, { ...fragment(8, false), ...later }), "spoofed"],
    ["as long with more headers as one without", sameTotal(family), "spoofed"],
  ];
}

function otherType(family: Family): { readonly type: number } {
  return { type: ENDS[family === 4 ? 6 : 4].reply };
}

/** IPv4 with a word of options, or IPv6 with an extension header, and so much less behind. */
function sameTotal(family: Family): Uint8Array {
  return family === 4
    ? answer(4, { optionWords: 1, transport: reply(4, { length: LENGTH - 4 }) })
    : answer(6, { extensions: [60], transport: reply(6, { length: LENGTH - 8 }) });
}

const OF_ONE_FAMILY: readonly Row[] = [
  ["IPv4 that may be cut up", answer(4), "passed"],
  ["IPv4 with options", answer(4, { optionWords: 1 }), "spoofed"],
  ["IPv4 with as many options as fit", answer(4, { optionWords: 10 }), "spoofed"],
  ["IPv6 with an atomic fragment's header", answer(6, { fragment: { offset: 0, more: false } }), "spoofed"],
  ["IPv6 with options for the destination", answer(6, { extensions: [60] }), "spoofed"],
  ["IPv6 with options for every hop", answer(6, { extensions: [0] }), "spoofed"],
];

export const PROBE_ANSWERS: readonly Row[] = [
  ...([4, 6] as const).flatMap((family) =>
    rowsOf(family).map(([name, packet, verdict]) => [`IPv${family}: ${name}`, packet, verdict] as const),
  ),
  ...OF_ONE_FAMILY,
];

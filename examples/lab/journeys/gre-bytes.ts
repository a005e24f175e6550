import { internetChecksum } from "../../../src/compiler/semantics/checksum.js";
import type { Journey, Lab, Row } from "../lab.js";
import { Capture } from "../packets/capture.js";
import { packetBytes, sameButTtl } from "../packets/packet.js";
import { CommandFailed, finished, spawnBound } from "../process.js";
import { policyOf } from "../reference.js";
import { ANYCAST, ATTACKER } from "../topology.js";
import { fromAttacker } from "./single.js";

/** What a shell ends with when there is no such program. */
const NOT_FOUND = 127;

export const greBytes: Journey = {
  title: "GRE on the wire",
  about: "the outer packet between edge-1 and the customers' routers, byte by byte (RFC 2784, RFC 2890)",
  travel: async (lab) => [
    await wireRow(lab, "acme", `tcp ${ATTACKER.v4}:41000 > 203.0.113.100:21 flags=S`),
    await wireRow(lab, "globex", `tcp [${ATTACKER.v6}]:41000 > [2001:db8:60b::80]:443 flags=S`),
  ],
};

/** What the outer headers say. */
interface Outer {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly protocol: number;
  readonly checksum: "good" | "bad";
  /** EtherType of the inner packet, in hexadecimal. */
  readonly carries: string;
  readonly key: number | null;
}

async function wireRow(lab: Lab, customer: string, text: string): Promise<Row> {
  const inner = packetBytes(text);
  const capture = await Capture.start(lab.world.host("core"), "edge-1", "proto 47");
  await fromAttacker(lab, inner);
  const packet = await capture.waitFor((seen) => sameButTtl(innerOf(seen), inner), 0, 2000);
  await capture.stop();
  const expected = describeOuter(expectedOuter(lab, customer, inner));
  const found = packet ? describeOuter(readOuter(packet)) : "nothing of the kind on the wire";
  const second = await decodedByTshark(capture.file);
  const decoders = second === null ? "decoded here; tshark is not installed" : "decoded here and by tshark";
  return {
    packet: text,
    verdict: "GRE, as in the RFC",
    reference: expected,
    kernel: `${second === null || second === found ? found : `${found}, but to tshark ${second}`} (${decoders})`,
    counters: "—",
    agrees: found === expected && (second === null || second === expected),
  };
}

function expectedOuter(lab: Lab, customer: string, inner: Buffer): Outer {
  const [tunnel] = policyOf(lab.policies, customer).tunnels;
  if (!tunnel) throw new Error(`${customer} has no tunnel`);
  return {
    source: ANYCAST,
    destination: dotted(tunnel.remote.value),
    ttl: tunnel.ttl === "inherit" ? inner.readUInt8(inner.readUInt8(0) >> 4 === 6 ? 7 : 8) : tunnel.ttl,
    protocol: 47,
    checksum: "good",
    carries: inner.readUInt8(0) >> 4 === 6 ? "86dd" : "0800",
    key: tunnel.key,
  };
}

function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
}

function readOuter(packet: Buffer): Outer {
  const keyed = packet.readUInt16BE(20) === 0x2000;
  return {
    source: packet.subarray(12, 16).join("."),
    destination: packet.subarray(16, 20).join("."),
    ttl: packet.readUInt8(8),
    protocol: packet.readUInt8(9),
    checksum: internetChecksum(packet.subarray(0, 20)) === 0 ? "good" : "bad",
    carries: packet.subarray(22, 24).toString("hex"),
    key: keyed ? packet.readUInt32BE(24) : null,
  };
}

/** The inner packet: behind 20 bytes of IPv4, 4 of GRE and, with a key, 4 more. */
function innerOf(packet: Buffer): Buffer {
  return packet.subarray(packet.readUInt16BE(20) === 0x2000 ? 28 : 24);
}

function describeOuter(outer: Outer): string {
  const key = outer.key === null ? "" : `, key ${outer.key}`;
  const ends = `${outer.source} > ${outer.destination}`;
  return `${ends}, protocol ${outer.protocol}, TTL ${outer.ttl}, checksum ${outer.checksum}, carries ${outer.carries}${key}`;
}

const TSHARK_FIELDS = [
  "ip.src",
  "ip.dst",
  "ip.ttl",
  "ip.proto",
  "ip.checksum.status",
  "gre.proto",
  "gre.key",
] as const;

/** The first packet of a capture as tshark(1) reads it, or null where there is no tshark. */
async function decodedByTshark(file: Buffer): Promise<string | null> {
  const fields = TSHARK_FIELDS.flatMap((field) => ["-e", field]);
  const options = ["-c", "1", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "occurrence=f"];
  // tshark reads a pipe, but not the socket that Node gives its children as standard input.
  const argv = ["sh", "-c", 'cat | tshark -r - "$@"', "tshark", ...options, ...fields];
  const output = await finished(spawnBound(argv), argv, file).catch((problem: unknown) => {
    if (problem instanceof CommandFailed && problem.status === NOT_FOUND) return null;
    throw problem;
  });
  if (output === null) return null;
  const [source = "", destination = "", ttl, protocol, checksum, carries = "", key] = output
    .toString()
    .trimEnd()
    .split("\t");
  return describeOuter({
    source,
    destination,
    ttl: Number(ttl),
    protocol: Number(protocol),
    checksum: checksum === "1" ? "good" : "bad",
    carries: carries.replace("0x", ""),
    key: key ? Number(key) : null,
  });
}

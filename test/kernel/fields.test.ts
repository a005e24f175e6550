import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { NFT_VERDICT, Probe } from "../../runtime/probe-client.js";
import { emit } from "../../src/compiler/compile.js";
import { FIELDS, type FieldName } from "../../src/compiler/ir/fields.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { newLimitState } from "../../src/compiler/semantics/gcra.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { ethernetFrame } from "../support/packet-bytes.js";
import { policyOf } from "../support/policies.js";
import { XdpUnderTest } from "../support/xdp-under-test.js";

/**
 * Every match field with its five packets, three ways: hit, miss, wrong protocol, truncated (the field's last byte
 * is cut off), and negated, where `not` holds for all that `hit` is not, and `!=` only for `miss`.
 */
interface FieldCase {
  readonly is: string;
  /** Null: a flag has no `!=`. */
  readonly isNot: string | null;
  readonly hit: string;
  readonly miss: string;
  readonly wrong: string;
  /** Null: a packet that is cut there is malformed. */
  readonly truncated: string | null;
}

function bytesOf(packet: string): Uint8Array {
  const parsed = parsePacket(packet);
  if (parsed.kind === "problems") throw new Error(`${packet}: ${parsed.problems[0]?.message}`);
  return parsed.bytes;
}

const TO = "203.0.113.100";
const UDP = `udp 192.0.2.7:53 > ${TO}:53`;

/** `at`: bytes of the TCP header that the field needs. */
function tcp(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  const packet = (rest: string) => `tcp 192.0.2.7:${rest}`;
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: packet(hit),
    miss: packet(miss),
    wrong: UDP,
    truncated: `${packet(hit)} len=${20 + at - 1}`,
  };
}

function flag(name: string, letter: string, other: string): FieldCase {
  return {
    ...tcp(name, 0, `4000 > ${TO}:80 flags=${letter}`, `4000 > ${TO}:80 flags=${other}`, 14),
    is: name,
    isNot: null,
  };
}

function udp(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: `udp 192.0.2.7:${hit}`,
    miss: `udp 192.0.2.7:${miss}`,
    wrong: `tcp 192.0.2.7:53 > ${TO}:53`,
    truncated: `udp 192.0.2.7:${hit} len=${20 + at - 1}`,
  };
}

function icmp(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: `icmp 192.0.2.7 > ${TO} ${hit}`,
    miss: `icmp 192.0.2.7 > ${TO} ${miss}`,
    wrong: `proto=1 2001:db8::7 > 2001:db8:f::1 payload=0800000000000000`,
    truncated: `icmp 192.0.2.7 > ${TO} ${hit} len=${20 + at - 1}`,
  };
}

function icmp6(field: string, value: number, hit: string, miss: string, at: number): FieldCase {
  return {
    is: `${field} == ${value}`,
    isNot: `${field} != ${value}`,
    hit: `icmp6 2001:db8::7 > 2001:db8:f::1 ${hit}`,
    miss: `icmp6 2001:db8::7 > 2001:db8:f::1 ${miss}`,
    wrong: `proto=58 192.0.2.7 > ${TO} payload=8001000000000000`,
    truncated: `icmp6 2001:db8::7 > 2001:db8:f::1 ${hit} len=${40 + at - 1}`,
  };
}

/** A later IPv6 fragment whose next header is destination options: nobody can know its transport protocol. */
const UNKNOWN_PROTOCOL = [
  "hex=6000000000102c40",
  "20010db8000000000000000000000007",
  "20010db8000f00000000000000000001",
  "3c0000080000000106000000000000ff",
].join("");

/** A packet with a TCP window of 1, which the text has no word for. */
function windowOfOne(packet: string): string {
  const bytes = Buffer.from(bytesOf(packet));
  bytes.writeUInt16BE(1, 20 + 14);
  return `hex=${bytes.toString("hex")}`;
}

const CASES: Readonly<Record<FieldName, FieldCase>> = {
  "ip.src": {
    is: "ip.src == 192.0.2.7",
    isNot: "ip.src != 192.0.2.7",
    hit: UDP,
    miss: `udp 192.0.2.8:53 > ${TO}:53`,
    wrong: "udp [2001:db8::7]:53 > [2001:db8:f::1]:53",
    truncated: null,
  },
  "ip.dst": {
    is: "ip.dst == 2001:db8:f::1",
    isNot: "ip.dst != 2001:db8:f::1",
    hit: "udp [2001:db8::7]:53 > [2001:db8:f::1]:53",
    miss: "udp [2001:db8::7]:53 > [2001:db8:f::2]:53",
    wrong: UDP,
    truncated: null,
  },
  "ip.proto": {
    is: 'ip.proto == "udp"',
    isNot: 'ip.proto != "udp"',
    hit: UDP,
    miss: `tcp 192.0.2.7:53 > ${TO}:53`,
    wrong: UNKNOWN_PROTOCOL,
    truncated: null,
  },
  "tcp.srcport": tcp("tcp.srcport", 53, `53 > ${TO}:80`, `54 > ${TO}:80`, 2),
  "tcp.dstport": tcp("tcp.dstport", 53, `80 > ${TO}:53`, `80 > ${TO}:54`, 4),
  "tcp.flags": tcp("tcp.flags", 2, `80 > ${TO}:53 flags=S`, `80 > ${TO}:53 flags=SA`, 14),
  "tcp.window": {
    ...tcp("tcp.window", 0, `80 > ${TO}:53`, "", 16),
    miss: windowOfOne(`tcp 192.0.2.7:80 > ${TO}:53`),
  },
  "tcp.flags.fin": flag("tcp.flags.fin", "F", "A"),
  "tcp.flags.syn": flag("tcp.flags.syn", "SA", "A"),
  "tcp.flags.reset": flag("tcp.flags.reset", "R", "A"),
  "tcp.flags.push": flag("tcp.flags.push", "PA", "A"),
  "tcp.flags.ack": flag("tcp.flags.ack", "A", "S"),
  "tcp.flags.urg": flag("tcp.flags.urg", "U", "A"),
  "tcp.flags.ecn": flag("tcp.flags.ecn", "E", "A"),
  "tcp.flags.cwr": flag("tcp.flags.cwr", "W", "A"),
  "udp.srcport": udp("udp.srcport", 53, `53 > ${TO}:80`, `54 > ${TO}:80`, 2),
  "udp.dstport": udp("udp.dstport", 53, `80 > ${TO}:53`, `80 > ${TO}:54`, 4),
  "udp.len": udp("udp.len", 12, `80 > ${TO}:53 payload=00000000`, `80 > ${TO}:53 payload=0000`, 6),
  "icmp.type": icmp("icmp.type", 8, "type=8", "type=0", 1),
  "icmp.code": icmp("icmp.code", 1, "type=8 code=1", "type=8 code=0", 2),
  "icmp6.type": icmp6("icmp6.type", 128, "type=128", "type=129", 1),
  "icmp6.code": icmp6("icmp6.code", 1, "type=128 code=1", "type=128 code=0", 2),
};

/** The condition as a rule of each stage: XDP drops what it matches, nftables lets it through. */
function policyWith(condition: string, stage: "mitigate" | "firewall"): string {
  const rule = (action: string, of: string) =>
    stage === of ? `${action}("rule", expr\`${condition}\`)` : "";
  return `import { allow, drop, expr, gre, policy } from "tidegate";
export default policy({
  customer: "fields",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [${rule("drop", "mitigate")}],
  firewall: { default: "drop", rules: [${rule("allow", "firewall")}] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8:f::/48", tunnel: "main" }],
});`;
}

let loader: Loader;
let probe: Probe;
let bpffs: BpfFs;
let loaded = 0;

beforeAll(async () => {
  bpffs = mountBpfFs();
  loader = await Loader.start();
  probe = await Probe.start();
  await probe.nftOpen();
});

afterAll(async () => {
  await probe?.close();
  await loader?.close();
  bpffs?.unmount();
});

/** Which packets the condition holds for, by the reference; by XDP and nftables, which must say the same. */
async function holdsFor(condition: string, packets: readonly Uint8Array[]): Promise<readonly boolean[]> {
  const mitigate = policyOf(policyWith(condition, "mitigate"));
  const firewall = policyOf(policyWith(condition, "firewall"));
  const reference = packets.map((packet) => evaluate(firewall, packet, newLimitState(), 0n).rule === "rule");

  const program = await XdpUnderTest.load(loader, probe, mitigate, `${bpffs.path}/${loaded++}`);
  const frames = packets.map((packet) => ({ frame: ethernetFrame(packet), now: 0n }));
  expect(await program.drops(frames), `XDP: ${condition}`).toEqual(reference);

  await probe.nftLoad(emit(firewall).find(({ path }) => path.endsWith(".nft"))?.text ?? "");
  const verdicts = await probe.nftRun(packets);
  const survived = Array.from(verdicts, (verdict) => verdict === NFT_VERDICT.survived);
  expect(survived, `nftables: ${condition}`).toEqual(reference);
  return reference;
}

describe("five packets for each field, three ways", () => {
  test.each(Object.keys(FIELDS) as readonly FieldName[])("%s", async (name) => {
    const { is, isNot, hit, miss, wrong, truncated } = CASES[name];
    const packets = [hit, miss, wrong, ...(truncated === null ? [] : [truncated])].map(bytesOf);
    const [, , ...absent] = packets;
    expect(await holdsFor(is, packets)).toEqual([true, false, ...absent.map(() => false)]);
    expect(await holdsFor(`not ${is}`, packets)).toEqual([false, true, ...absent.map(() => true)]);
    if (isNot !== null) {
      expect(await holdsFor(isNot, packets)).toEqual([false, true, ...absent.map(() => false)]);
    }
  });
});

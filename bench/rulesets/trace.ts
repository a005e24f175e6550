import { internetChecksum } from "../../src/compiler/semantics/checksum.js";
import { addressesOf, type Flow, type FlowRule, hasPorts, isAnyPort, type Span } from "./flow-rule.js";
import { Random } from "./random.js";

/** Packets that follow a rule set, as ClassBench's trace generator makes them. */

export interface TraceOptions {
  readonly packets: number;
  readonly seed: number;
  /** The share of flows that are chance alone, and so mostly meet no rule. */
  readonly misses?: number;
  /** How often a flow comes again before the next: the scale of a Pareto distribution. 0: never. */
  readonly repeats?: number;
}

/** The most that one flow is repeated, as a share of the trace: one flow must not be all of it. */
const LONGEST_RUN = 0.01;

/** The flows of a trace, in its order; the same seed gives the same ones. */
export function traceOf(
  rules: readonly FlowRule[],
  { packets, seed, misses = 0.1, repeats = 0 }: TraceOptions,
): readonly Flow[] {
  const random = new Random(seed);
  const longest = Math.max(1, Math.floor(packets * LONGEST_RUN));
  const trace: Flow[] = [];
  while (trace.length < packets) {
    const flow =
      rules.length === 0 || random.chance(misses) ? anyFlow(random) : flowOf(random.among(rules), random);
    const times = repeats > 0 ? Math.min(random.pareto(repeats), longest) : 1;
    for (let i = 0; i < times && trace.length < packets; i++) trace.push(flow);
  }
  return trace;
}

/** A flow that the rule matches, in each number at one of its corners or anywhere inside. */
export function flowOf(rule: FlowRule, random: Random): Flow {
  const asksPorts = !isAnyPort(rule.sourcePorts) || !isAnyPort(rule.destinationPorts);
  const protocol = rule.protocol ?? (asksPorts ? random.among([6, 17]) : random.among([6, 17, 1]));
  const ports = hasPorts(protocol);
  return {
    source: pointOf(addressesOf(rule.source), random),
    destination: pointOf(addressesOf(rule.destination), random),
    sourcePort: ports ? pointOf(rule.sourcePorts, random) : 0,
    destinationPort: ports ? pointOf(rule.destinationPorts, random) : 0,
    protocol,
  };
}

/** Corners are where rules begin and end; most of everything is inside. */
function pointOf({ low, high }: Span, random: Random): number {
  return random.weighted([
    [1, low],
    [1, high],
    [2, random.between(low, high)],
  ]);
}

function anyFlow(random: Random): Flow {
  const protocol = random.among([6, 6, 17]);
  return {
    source: random.below(2 ** 32),
    destination: random.below(2 ** 32),
    sourcePort: random.below(2 ** 16),
    destinationPort: random.below(2 ** 16),
    protocol,
  };
}

/** All packets have this length, so that copying one costs what copying another does. */
export const PACKET_BYTES = 40;

const IPV4_HEADER = 20;
const SYN = 0x02;

/** The flow's packet from the IP header on: IPv4 with a TCP SYN, a UDP or an ICMP echo request, or zeros. */
export function packetOf(flow: Flow): Uint8Array {
  return packetOfLength(PACKET_BYTES, flow);
}

export function packetOfLength(length: number, flow: Flow): Uint8Array {
  const { source, destination, sourcePort, destinationPort, protocol } = flow;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (4 << 4) | (IPV4_HEADER / 4));
  view.setUint16(2, length);
  view.setUint8(8, 64);
  view.setUint8(9, protocol);
  view.setUint32(12, source);
  view.setUint32(16, destination);
  // A wrong one, and the kernel drops the packet before any rule (ip_rcv_core).
  view.setUint16(10, internetChecksum(bytes.subarray(0, IPV4_HEADER)));
  if (hasPorts(protocol)) {
    view.setUint16(IPV4_HEADER, sourcePort);
    view.setUint16(IPV4_HEADER + 2, destinationPort);
  }
  if (protocol === 6) view.setUint16(IPV4_HEADER + 12, (5 << 12) | SYN);
  if (protocol === 17) view.setUint16(IPV4_HEADER + 4, length - IPV4_HEADER);
  if (protocol === 1) view.setUint8(IPV4_HEADER, 8);
  return bytes;
}

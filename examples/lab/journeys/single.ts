import { formatCounters, ofStages, sameCounters } from "../counters.js";
import { type EdgeName, type Lab, type Observed, observe, type Row } from "../lab.js";
import { packetBytes, sameButTtl, ttl } from "../packets/packet.js";
import { send } from "../packets/send.js";
import { describeJudgement, type Judgement, judge, predicted } from "../reference.js";
import { coreMac, SITES } from "../topology.js";

/** A packet written as text, and where it starts. */
export interface Shot {
  readonly packet: string;
  /** How many of its bytes are really sent; without it, all. */
  readonly cutTo?: number;
  /** Sends the bytes; without it the attacker does, who can claim any source. */
  readonly from?: (lab: Lab, packet: Buffer) => Promise<unknown>;
  /** The edge that judges it; edge-1 announces the customers' prefixes. */
  readonly edge?: EdgeName;
  /** Where a foreign packet belongs: it must get there as if Tidegate were not there. */
  readonly home?: string;
}

/** Sends one packet and compares what becomes of it with what the reference says. */
export async function shoot(lab: Lab, shot: Shot): Promise<Row> {
  const packet = packetBytes(shot.packet).subarray(0, shot.cutTo);
  const judgement = judge(lab.policies, packet);
  const edge = shot.edge ?? "edge-1";
  const observed = await observe(lab, [edge], () => (shot.from ?? fromAttacker)(lab, packet));
  const destination = destinationOf(judgement, shot);
  const places = placesOf(packet, observed);
  const arrival = destination === null ? places.length === 0 : places.join() === destination;
  return {
    packet: shot.cutTo === undefined ? shot.packet : `${shot.packet}, cut after ${shot.cutTo} bytes`,
    verdict: judgement.trace.verdict,
    reference: describeJudgement(judgement),
    kernel: describeArrival(packet, observed, places),
    counters: `${edge}: ${formatCounters(relevant(judgement, observed.moved[edge]))}`,
    agrees: arrival && countersAgree(judgement, observed, edge),
  };
}

export function fromAttacker(lab: Lab, packet: Buffer): Promise<unknown> {
  return send(lab.world.host("attacker"), "eth0", coreMac("attacker"), [packet]);
}

/** The one host where the packet must arrive, or null when nobody may see it. */
function destinationOf({ trace }: Judgement, shot: Shot): string | null {
  if (trace.verdict === "foreign") return shot.home ?? null;
  if (trace.verdict !== "allow") return null;
  const [route] = trace.routes;
  const site = SITES.find(({ tunnel }) => tunnel === route?.tunnel);
  if (!site) throw new Error(`tunnel ${route?.tunnel} leads to no site of the lab`);
  return site.host;
}

/** The hosts that saw the packet, with all its bytes as they were but the TTL. */
function placesOf(packet: Buffer, { arrived }: Observed<unknown>): readonly string[] {
  return [...arrived]
    .filter(([, packets]) => packets.some((seen) => sameButTtl(seen, packet)))
    .map(([host]) => host);
}

function describeArrival(packet: Buffer, { arrived }: Observed<unknown>, places: readonly string[]): string {
  if (places.length === 0) return "arrived nowhere";
  const texts = places.map((host) => {
    const seen = arrived.get(host)?.find((candidate) => sameButTtl(candidate, packet)) ?? packet;
    return `arrived at ${host}, TTL ${ttl(packet)} → ${ttl(seen)}, else unchanged`;
  });
  return texts.join("; ");
}

/**
 * Every stage's counter must move as predicted and no other. The root's are bounded from below only where all of
 * the lab's traffic counts: ARP, neighbour discovery and answers are foreign, too.
 */
function countersAgree(judgement: Judgement, { moved }: Observed<unknown>, edge: EdgeName): boolean {
  const expected = predicted(judgement);
  if (!sameCounters(ofStages(moved[edge]), ofStages(expected))) return false;
  switch (judgement.trace.verdict) {
    case "malformed":
      return moved[edge].get("root/malformed") === 1;
    case "foreign":
      return (moved[edge].get("root/foreign") ?? 0) >= 1;
    default:
      return !moved[edge].has("root/malformed");
  }
}

/** The counters that are about this packet. */
function relevant({ trace }: Judgement, moved: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (trace.stage !== "root") return ofStages(moved);
  return new Map(
    [...moved].filter(([name]) => name === `root/${trace.verdict}` || / (mitigate|firewall)\//.test(name)),
  );
}

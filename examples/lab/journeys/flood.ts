import type { Policy } from "../../../src/compiler/ir/policy.js";
import { evaluate } from "../../../src/compiler/semantics/evaluate.js";
import { newState } from "../../../src/compiler/semantics/state.js";
import type { Host } from "../host.js";
import { type Journey, observe, type Row } from "../lab.js";
import { packetBytes } from "../packets/packet.js";
import { type Sent, send } from "../packets/send.js";
import { policyOf } from "../reference.js";
import { CLIENT, coreMac, FLOODER } from "../topology.js";
import { converse, FTP } from "./ftp.js";

const FLOOD = { count: 50_000, rate: 20_000 } as const;
const LIMIT = "syn-flood";
/**
 * How much shorter or longer the flood may be at the edge than at its sender, whose processor it shares: packets
 * wait in the queues between them.
 */
const JITTER_NS = 200_000_000n;

export const flood: Journey = {
  title: "A SYN flood",
  about:
    "one source is held to the policy's rate; another one still opens its connection in the middle of it",
  travel: async (lab) => {
    const packets = synPackets();
    const target = lab.world.host("acme-ftp");
    await target.run(["nft", "-f", "-"], COUNT_FLOOD);
    const { result, moved } = await observe(lab, ["edge-1"], async () => {
      const flooding = send(lab.world.host("attacker"), "eth0", coreMac("attacker"), packets, {
        pace: FLOOD,
      });
      const talking = pause(FLOOD.count / FLOOD.rate / 2).then(() => converse(lab.world.host("client"), FTP));
      const [sent, conversation] = await Promise.all([flooding, talking.catch(String)]);
      return { sent, conversation };
    });
    const outcome = {
      ...result.sent,
      dropped: moved["edge-1"].get(`acme mitigate/${LIMIT}`) ?? 0,
      passed: await countedAt(target),
    };
    return [floodRow(policyOf(lab.policies, "acme"), packets, outcome), otherRow(result.conversation)];
  },
};

/** A capture would lose some of so many. */
const COUNT_FLOOD = `
table ip lab {
	counter flood {
	}
	chain arrivals {
		type filter hook prerouting priority raw
		ip saddr ${FLOODER} counter name flood
	}
}
`;

async function countedAt(target: Host): Promise<number> {
  const text = await target.run(["nft", "list", "counter", "ip", "lab", "flood"]);
  return Number(/packets (\d+)/.exec(text)?.[1]);
}

/** SYNs that differ in port, as those of a flood do; one source address. */
function synPackets(): readonly Buffer[] {
  return Array.from({ length: 500 }, (_, n) => {
    return packetBytes(`tcp ${FLOODER}:${20_000 + n} > ${FTP}:21 flags=S`);
  });
}

interface Outcome extends Sent {
  readonly dropped: number;
  /** Packets that arrived at the FTP host. */
  readonly passed: number;
}

function floodRow(policy: Policy, packets: readonly Buffer[], outcome: Outcome): Row {
  const { sent, nanoseconds, dropped, passed } = outcome;
  const duration = BigInt(nanoseconds);
  // The longer the flood, the more of it is within the rate.
  const fewest = droppedByReference(policy, packets, sent, duration + JITTER_NS);
  const most = droppedByReference(policy, packets, sent, duration - JITTER_NS);
  const seconds = (nanoseconds / 1e9).toFixed(2);
  return {
    packet: `${sent} × tcp ${FLOODER}:* > ${FTP}:21 flags=S in ${seconds} s`,
    verdict: `drop ${fewest} to ${most}`,
    reference: `drop · acme mitigate, rule ${LIMIT}: ${fewest} to ${most} of them`,
    kernel: `${dropped} dropped in XDP, ${passed} arrived at acme-ftp`,
    counters: `edge-1: acme mitigate/${LIMIT} +${dropped}`,
    agrees: dropped >= fewest && dropped <= most && dropped + passed === sent,
  };
}

/** Runs the reference over the flood, its packets spread evenly over `duration` nanoseconds. */
function droppedByReference(
  policy: Policy,
  packets: readonly Buffer[],
  count: number,
  duration: bigint,
): number {
  const state = newState();
  // Any time will do, but for one so early that the unused allowance would reach back before 0.
  const start = 1_000_000_000_000n;
  let dropped = 0;
  for (let n = 0; n < count; n++) {
    const packet = packets[n % packets.length] ?? Buffer.alloc(0);
    const at = start + (duration * BigInt(n)) / BigInt(count);
    if (evaluate(policy, packet, state, at).rule === LIMIT) dropped++;
  }
  return dropped;
}

function otherRow(conversation: Awaited<ReturnType<typeof converse>> | string): Row {
  const worked = typeof conversation !== "string" && conversation.lines.at(-1) === "< 221 Goodbye";
  return {
    packet: `FTP ${CLIENT.v4} > ${FTP}:21, meanwhile`,
    verdict: "allow",
    reference: "allow · acme firewall, rule ftp → chicago",
    kernel:
      typeof conversation === "string"
        ? conversation
        : `connected in ${conversation.connectedMs} ms, all said`,
    counters: "among those of the flood",
    agrees: worked,
  };
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

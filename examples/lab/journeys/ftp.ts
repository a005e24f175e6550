import { lowerSegmentSize } from "../../../src/compiler/semantics/segment-size.js";
import { formatCounters, ofStages, sameCounters } from "../counters.js";
import type { Host } from "../host.js";
import { type Journey, type Lab, observe, type Row } from "../lab.js";
import { Capture } from "../packets/capture.js";
import { sameButTtl } from "../packets/packet.js";
import { describeJudgement, judge, judgeReturn, policyOf, predictedSum } from "../reference.js";
import { actor } from "../tools.js";
import { CLIENT } from "../topology.js";

export const FTP = "203.0.113.100";

/** What the client saw of its FTP session. */
interface Conversation {
  readonly connectedMs: number;
  readonly lines: readonly string[];
}

export const ftp: Journey = {
  title: "An FTP control connection",
  about:
    "there through edge-1 and Acme's tunnel, back through the tunnel to the anycast address, which is edge-2",
  travel: async (lab) => {
    // What the client sends is taken where it leaves the client's link, so the reference judges the real packets.
    const sent = await Capture.start(lab.world.host("core"), "client", `host ${CLIENT.v4} and tcp`);
    const observed = await observe(lab, ["edge-1", "edge-2"], () => converse(lab.world.host("client"), FTP));
    await sent.stop();
    return [thereRow(lab, sent.packets, observed), backRow(lab, observed)];
  },
};

/** Opens the connection from `client`, talks, and closes it; throws when that does not work. */
export async function converse(client: Host, address: string): Promise<Conversation> {
  return JSON.parse(await client.run(actor("ftp-client", address, "21"))) as Conversation;
}

type Seen = Awaited<ReturnType<typeof observe<Conversation>>>;

function thereRow(lab: Lab, sent: readonly Buffer[], { result, moved, arrived }: Seen): Row {
  const judgements = sent.map((packet) => judge(lab.policies, packet));
  const atHost = arrived.get("acme-ftp") ?? [];
  const [tunnel] = policyOf(lab.policies, "acme").tunnels;
  const leaves = (packet: Buffer) => Buffer.from(lowerSegmentSize(packet, tunnel?.mss ?? null));
  const delivered = sent.filter((packet) => atHost.some((seen) => sameButTtl(seen, leaves(packet))));
  const counters = ofStages(moved["edge-1"]);
  const [first] = judgements;
  return {
    packet: `${sent.length} TCP packets ${CLIENT.v4} > ${FTP}:21`,
    verdict: first?.trace.verdict ?? "—",
    reference: first ? `all ${describeJudgement(first)}` : "nothing was sent",
    kernel: `${delivered.length} arrived at acme-ftp; connected in ${result.connectedMs} ms; "${result.lines.join('", "')}"`,
    counters: `edge-1: ${formatCounters(counters)}`,
    agrees:
      judgements.length > 0 &&
      judgements.every(({ trace }) => trace.rule === "ftp" && trace.verdict === "allow") &&
      delivered.length === sent.length &&
      sameCounters(counters, predictedSum(judgements)) &&
      result.lines.at(-1) === "< 221 Goodbye",
  };
}

function backRow(lab: Lab, { moved, arrived }: Seen): Row {
  const answers = arrived.get("client") ?? [];
  const verdicts = new Set(answers.map((packet) => judgeReturn(lab.policies, "acme", packet)));
  const passed = moved["edge-2"].get("acme return-passed") ?? 0;
  const elsewhere = moved["edge-1"].get("acme return-passed") ?? 0;
  return {
    packet: `${answers.length} TCP packets ${FTP}:21 > ${CLIENT.v4}`,
    verdict: [...verdicts].join(),
    reference: `all ${[...verdicts].join(", ")} · the way back`,
    kernel: `${answers.length} arrived at the client, by edge-2`,
    counters: `edge-2: acme return-passed +${passed}`,
    agrees:
      answers.length > 0 && [...verdicts].join() === "passed" && passed === answers.length && elsewhere === 0,
  };
}

import type { Policy } from "../../compiler/ir/policy.js";
import { evaluate, type Trace } from "../../compiler/semantics/evaluate.js";
import { newLimitState } from "../../compiler/semantics/gcra.js";
import { EXIT, UsageError } from "../exit.js";
import { readSource } from "../io/read-source.js";
import { loadPolicy } from "../load-policy.js";
import { readPacket, readPackets, type WrittenPacket } from "../packets.js";
import { renderJourney } from "../render/journey.js";
import { sourcesOf } from "../render/sources.js";

interface ExplainOptions {
  readonly packet?: string;
  readonly packets?: string;
  readonly json?: boolean;
  readonly geo?: string;
}

/** `tidegate explain`: judges packets with the reference. Limits remember the packets before, in their order. */
export async function explain(file: string, options: ExplainOptions): Promise<number> {
  const packets = packetsOf(options);
  const loaded = loadPolicy(file, options);
  if (!loaded) return EXIT.failed;
  const state = newLimitState();
  for (const packet of packets) {
    const trace = evaluate(loaded.policy, packet.bytes, state, packet.at, packet.surroundings);
    console.log(
      options.json
        ? JSON.stringify(explanation(loaded.policy, packet, trace))
        : `${renderJourney(loaded.policy, sourcesOf(loaded.sources.values()), packet.text, trace)}\n`,
    );
  }
  return EXIT.ok;
}

function packetsOf({ packet, packets }: ExplainOptions): readonly WrittenPacket[] {
  if (packet !== undefined && packets === undefined) return [readPacket(packet, 0n)];
  if (packets !== undefined && packet === undefined) return readPackets(packets, readSource(packets));
  throw new UsageError("explain needs either --packet TEXT or --packets FILE");
}

/** The row that scripts read (DESIGN, section 8). */
function explanation(policy: Policy, packet: WrittenPacket, trace: Trace): object {
  const rule = [...policy.mitigate, ...policy.firewall.rules].find(({ name }) => name === trace.rule);
  return {
    packet: packet.text,
    verdict: trace.verdict,
    stage: trace.stage,
    rule: trace.rule,
    tunnel: trace.tunnel,
    line: rule?.span.line ?? null,
    // The line is the policy's own, unless the rule comes from a module.
    ...(rule && rule.span.file !== policy.span.file ? { file: rule.span.file } : {}),
  };
}

import type { Policy } from "../../compiler/ir/policy.js";
import { evaluate, type Trace } from "../../compiler/semantics/evaluate.js";
import { newState } from "../../compiler/semantics/state.js";
import type { TestPacket } from "../../verify/packets.js";
import type { Check } from "./compare.js";
import type { KernelVerdict, StageName } from "./stage.js";

/** What each of the three says of the last packet of a sequence. */
export interface Answers {
  /** Of the whole policy. */
  readonly reference: string;
  /** What the stage that disagrees should have done by itself, by the reference. */
  readonly expected: string;
  readonly xdp: string;
  readonly nft: string;
}

/** `drop by mitigate rule "bogons"`, at the end of the sequence. */
export function referenceAnswer(policy: Policy, packets: readonly TestPacket[]): string {
  const state = newState();
  const traces = packets.map(({ bytes, at, surroundings }) =>
    evaluate(policy, bytes, state, at, surroundings),
  );
  const last = traces.at(-1);
  return last ? describeTrace(last) : "nothing";
}

export function describeTrace({
  verdict,
  stage,
  rule,
  held,
}: Pick<Trace, "verdict" | "stage" | "rule" | "held">): string {
  if (stage === "root") return verdict;
  if (held) return "held: waits for the rest of its datagram";
  return `${verdict} by ${stage} ${rule === null ? "default" : `rule \`${rule}\``}`;
}

/** Sends the sequence to every stage, and asks what became of its last packet. `wrong` is the check that disagrees. */
export async function answers(
  checks: readonly Check[],
  wrong: Check,
  packets: readonly TestPacket[],
  reference: string,
): Promise<Answers> {
  const last = wrong.expect(packets).at(-1);
  return {
    reference,
    expected: last ? describe(last.verdict, last.counted, last.sent) : "nothing",
    xdp: await ofStage("xdp", checks, wrong, packets),
    nft: await ofStage("nft", checks, wrong, packets),
  };
}

async function ofStage(
  name: StageName,
  checks: readonly Check[],
  wrong: Check,
  packets: readonly TestPacket[],
): Promise<string> {
  const check = [wrong, ...checks].find(({ stage }) => stage.name === name);
  const last = packets.slice(-1);
  if (!check || !last.every(check.asks)) return "is not asked";
  const { stage } = check;
  await stage.reset();
  await stage.run(packets.slice(0, -1).filter(check.asks));
  const { verdicts, sent, counted } = await stage.run(last);
  const counters = [...counted].filter(([, count]) => count > 0).map(([counter]) => counter);
  return describe(verdicts[0] ?? "other", counters, sent[0]);
}

function describe(verdict: KernelVerdict, counters: readonly string[], sent?: Uint8Array | null): string {
  const frame = sent ? ` as ${Buffer.from(sent).toString("hex")}` : "";
  return `${WORDS[verdict]}${frame}; counted by ${counters.length > 0 ? counters.join(", ") : "none"}`;
}

const WORDS = {
  pass: "pass",
  drop: "drop",
  forward: "sent into a tunnel",
  unreached: "dropped by the kernel before the hooks",
  other: "neither pass nor drop",
} as const satisfies Record<KernelVerdict, string>;

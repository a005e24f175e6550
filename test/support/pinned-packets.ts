import { type Difference, difference, differs } from "../../src/cli/verify/compare.js";
import { checkOfXdp, checksOfNft, type Emit } from "../../src/cli/verify/policy-checks.js";
import type { Scratch } from "../../src/cli/verify/scratch.js";
import { analyze } from "../../src/compiler/compile.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { evaluate, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { NO_MODULES } from "../../src/dsl/modules.js";
import type { TestPacket } from "../../src/verify/packets.js";
import { policyAround } from "./doc-snippets.js";

/** Packets of which it is written down what becomes of them, and the policy that judges them, in this order. */
export interface Pinned {
  readonly policy: Policy;
  readonly packets: readonly { readonly packet: TestPacket; readonly expected: string }[];
}

/** `lines`: `PACKET  # VERDICT`, as `verdictText` writes it. `properties`: those of `policy({…})`. */
export function pinned(properties: string, lines: string): Pinned {
  const { policy, diagnostics } = analyze("pinned.policy.ts", policyAround(properties), NO_MODULES);
  if (!policy) throw new Error(JSON.stringify(diagnostics));
  let now = 0n;
  const packets = lines
    .trim()
    .split("\n")
    .map((line) => {
      const [, text = "", expected = ""] = /^(.*?)\s*# (.*)$/.exec(line.trim()) ?? [];
      const parsed = parsePacket(text);
      if (parsed.kind === "problems") throw new Error(`${line}: ${parsed.problems[0]?.message}`);
      now = parsed.at ?? now;
      return {
        packet: { bytes: parsed.bytes, surroundings: parsed.surroundings, at: now, why: text },
        expected,
      };
    });
  return { policy, packets };
}

/** What the reference says of each packet. */
export function judged({ policy, packets }: Pinned): readonly string[] {
  const state = newState();
  return packets.map(({ packet: { bytes, surroundings, at } }) =>
    verdictText(policy, evaluate(policy, bytes, state, at, surroundings)),
  );
}

function verdictText(
  { tunnels }: Policy,
  { gate, verdict, reason, held, stage, rule, routes }: Trace,
): string {
  if (gate) return `dropped by the kernel: ${gate.reason}`;
  if (held) return "held";
  if (verdict === "foreign") return "foreign";
  if (verdict === "malformed") return `malformed: ${reason}`;
  if (stage === "route") return "drop: no route";
  const ways = routes.map(({ tunnel }) => tunnel).join(" or ");
  const into = ways !== "" && tunnels.length > 1 ? `, into ${ways}` : "";
  return `${verdict} by ${rule ?? "default"}${into}`;
}

/**
 * Where the kernel differs from the reference, verdict by verdict and counter by counter. `ct=` only the reference is told.
 * `emitted`: what the targets make of the policy, if not what they should.
 */
export async function kernelDiffers(
  { policy, packets }: Pinned,
  scratch: Scratch,
  emitted?: Emit,
): Promise<readonly Difference[]> {
  const sent = packets.map(({ packet }) => packet);
  const checks = [await checkOfXdp(policy, scratch, emitted), ...(await checksOfNft(policy, emitted))];
  const all: Difference[] = [];
  for (const check of checks) {
    all.push(await difference(check, sent.filter(check.asks)));
    await check.stage.unload();
  }
  return all.filter(differs);
}

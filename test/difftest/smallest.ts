import fc from "fast-check";
import { referenceAnswer } from "../../src/cli/verify/answers.js";
import { checkOfXdp, checksOfNft } from "../../src/cli/verify/policy-checks.js";
import { runChecks, type Verified } from "../../src/cli/verify/run-check.js";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { packetText } from "../../src/compiler/analysis/packets/plain-text.js";
import { type WrittenPolicy, writtenPolicies } from "../support/language-arbitrary.js";
import { type Found, keep } from "./found.js";
import { type Case, describeTrial, failed, type Trial, type Tries } from "./trial.js";

/** A search for a smaller policy ends when it has taken so long (ms), with what it has found. */
const PATIENCE = 20_000;

/** Makes a policy that failed small, and its packets; writes them down and says so in lines. */
export async function report(tries: Tries, { written, seed, index }: Case, trial: Trial): Promise<string> {
  const small = await smallestPolicy(tries, { seed, index }, trial);
  const [policy, failure] = small ?? [written, trial];
  const { counterexamples } = await verified(failure);
  const packets = counterexamples[0]?.packets ?? failure.packets;
  const why = [
    ...describeTrial(failure),
    ...counterexamples.flatMap((one) => [
      `${one.stage}: ${one.packets.map(packetText).join(", then ")}`,
      ...Object.entries(one.answers).map(([who, answer]) => `  ${who}: ${answer}`),
    ]),
  ];
  const found: Found = { policy: policy.text, packets, words: failure.misread.slice(0, 3), why };
  return [policy.text, ...why, `kept as ${keep(found)}`].join("\n");
}

/** The same for a policy that clang, the verifier or nft refuse, or that the compiler breaks at. */
export async function reportRefusal(
  tries: Tries,
  { written, seed, index }: Case,
  error: unknown,
): Promise<string> {
  let smallest = { written, error };
  const property = fc.asyncProperty(writtenPolicies, async (smaller) => {
    await tries.try(smaller, seed + index).catch((again) => {
      smallest = { written: smaller, error: again };
      throw again;
    });
  });
  await fc.check(property, { seed, path: `${index}`, numRuns: 1, interruptAfterTimeLimit: PATIENCE });
  const { text } = smallest.written;
  const why = String(smallest.error).split("\n");
  return [text, ...why, `kept as ${keep({ policy: text, packets: [], words: [], why })}`].join("\n");
}

/** fast-check makes the same policy from its seed and its place, and from there on smaller ones. */
async function smallestPolicy(
  tries: Tries,
  { seed, index }: Pick<Case, "seed" | "index">,
  failure: Trial,
): Promise<readonly [WrittenPolicy, Trial] | undefined> {
  let smallest: readonly [WrittenPolicy, Trial] | undefined;
  const property = fc.asyncProperty(writtenPolicies, async (written) => {
    const trial = await tries.again(written, failure);
    if (!trial || !failed(trial)) return;
    smallest = [written, trial];
    throw new Error("still fails");
  });
  await fc.check(property, { seed, path: `${index}`, numRuns: 1, interruptAfterTimeLimit: PATIENCE });
  return smallest;
}

/** The policy's packets once more, with programs and namespaces of their own, down to the fewest. */
async function verified({ policy, packets }: Trial): Promise<Omit<Verified, "rates" | "mutants">> {
  const scratch = await Scratch.start();
  const checks = [await checkOfXdp(policy, scratch), ...(await checksOfNft(policy))];
  try {
    return await runChecks(
      checks,
      packets,
      (sequence) => referenceAnswer(policy, sequence),
      () => undefined,
    );
  } finally {
    for (const { stage } of checks) await stage.unload();
    await scratch.close();
  }
}

import { differing, type PolicyDiff, type Region } from "../diff/differing.js";
import { EXIT } from "../exit.js";
import { loadPolicy } from "../load-policy.js";
import { MOST_REGIONS, renderDifference } from "../render/difference.js";

interface DiffOptions {
  readonly json?: boolean;
  readonly geo?: string;
}

/** `tidegate diff`: which packets two policies treat differently. Exit 0: none, 1: some, 2: it cannot be said. */
export async function diff(before: string, after: string, options: DiffOptions): Promise<number> {
  const [old, now] = [loadPolicy(before, options), loadPolicy(after, options)];
  if (!old || !now) return EXIT.usage;
  const witnesses = options.json ? Number.POSITIVE_INFINITY : MOST_REGIONS;
  const found = differing(old.policy, now.policy, { witnesses, written: now.written });
  console.log(options.json ? JSON.stringify(diffJson(found)) : renderDifference(found));
  return found.equal ? EXIT.ok : EXIT.failed;
}

/** What scripts read: fields may be added, never changed. */
function diffJson({ equal, change, regions, notes, open }: PolicyDiff): object {
  return { equal, change, regions: regions.map(regionJson), also: notes.map(({ text }) => text), open };
}

function regionJson({ before, after, ...rest }: Region): object {
  return {
    before: before.verdict,
    after: after.verdict,
    witness: rest.witness,
    change: rest.change,
    share: rest.share,
    packets: rest.packets,
    exact: rest.isExact,
    beforeStage: before.stage,
    beforeRule: before.rule,
    beforeHeld: before.held,
    beforeLimits: before.limits,
    afterStage: after.stage,
    afterRule: after.rule,
    afterHeld: after.held,
    afterLimits: after.limits,
  };
}

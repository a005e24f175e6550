import type { Bundle } from "../bundle.js";
import { markPrefixes } from "../node/marking.js";
import { type Prefix, sameBlock } from "../prefix.js";
import type { CustomerRecord } from "../state.js";
import type { Steps } from "../steps.js";
import type { Change } from "./change.js";
import { addDispatch, prefixesOf, removeDispatch } from "./dispatch.js";
import { settle } from "./ending.js";
import { stampBy } from "./program.js";
import { narrowTunnels } from "./tunnels.js";

/** A generation that stands beside the one in force. */
export interface Staged {
  /** The runtime's own copy. */
  readonly bundle: Bundle;
  /** Something that leads packets to the customer was made anew: what led there before may be gone. */
  readonly remade: boolean;
}

/**
 * Puts a staged generation in force: with one store, the stamp that packets get from now on. All that judges by it stands
 * already, and what judged by the old one still does, so that each packet meets one of the two as a whole. Prefixes that
 * go are given up before, and new ones are marked (and so routed here) after.
 */
export async function commit(
  change: Change,
  staged: Staged,
  record: CustomerRecord,
  steps: Steps,
): Promise<void> {
  const { host, previous } = change;
  await releasePrefixes(change, staged.bundle, steps);
  await steps.run(
    "switch",
    () => stampBy(host, record.slot, record.generation),
    async () => {
      await stampBy(host, record.slot, previous?.generation ?? null);
      await settle();
    },
  );
  await narrowTunnels(change, staged.bundle, steps);
  await claimPrefixes(change, staged, record.slot, steps);
}

async function releasePrefixes(change: Change, bundle: Bundle, steps: Steps): Promise<void> {
  const { host, previous } = change;
  if (!previous) return;
  const before = prefixesOf(previous.manifest);
  const gone = without(before, prefixesOf(bundle.manifest));
  if (gone.length === 0) return;
  const release = async () => {
    await markPrefixes(host, [...othersOf(change), ...without(before, gone)]);
    await removeDispatch(host, gone);
  };
  await steps.run("release prefixes", release, async () => {
    await addDispatch(host, previous.manifest, previous.slot, gone);
    await markPrefixes(host, [...othersOf(change), ...before]);
  });
}

/** Where prefixes stay and what leads there does, nothing is left to claim. */
async function claimPrefixes(
  change: Change,
  { bundle, remade }: Staged,
  slot: number,
  steps: Steps,
): Promise<void> {
  const { host, previous, mend } = change;
  const after = prefixesOf(bundle.manifest);
  const before = previous ? prefixesOf(previous.manifest) : [];
  if (!mend && !remade && without(after, before).length === 0) return;
  const kept = without(before, without(before, after));
  const claim = async () => {
    await addDispatch(host, bundle.manifest, slot, after);
    await markPrefixes(host, [...othersOf(change), ...after]);
  };
  await steps.run("claim prefixes", claim, async () => {
    await markPrefixes(host, [...othersOf(change), ...kept]);
    await removeDispatch(host, without(after, before));
  });
}

function othersOf({ others }: Change): readonly Prefix[] {
  return others.flatMap(({ manifest }) => prefixesOf(manifest));
}

function without(prefixes: readonly Prefix[], removed: readonly Prefix[]): readonly Prefix[] {
  return prefixes.filter((prefix) => !removed.some((other) => sameBlock(prefix, other)));
}

import type { Bundle } from "../bundle.js";
import { markPrefixes } from "../node/marking.js";
import { type Prefix, samePrefix } from "../prefix.js";
import type { CustomerRecord } from "../state.js";
import type { Steps } from "../steps.js";
import type { Change } from "./change.js";
import { addDispatch, prefixesOf, removeDispatch } from "./dispatch.js";
import { loadFirewall, unloadFirewall } from "./firewall.js";
import { clearSlot, useProgram } from "./program.js";
import { useTable } from "./routes.js";

/**
 * Puts a staged generation in force. In every state in between a packet meets the old policy, the new one, or
 * nothing that lets it through: prefixes that go are given up first, new ones are marked (and so routed here) last.
 */
export async function commit(
  change: Change,
  bundle: Bundle,
  record: CustomerRecord,
  steps: Steps,
): Promise<void> {
  const { host, previous } = change;
  const { namespace } = bundle.manifest;
  await releasePrefixes(change, bundle, steps);
  await steps.run(
    "load the firewall",
    () => loadFirewall(host, bundle),
    () => (previous ? loadFirewall(host, previous.bundle) : unloadFirewall(host, namespace)),
  );
  await steps.run(
    "switch the routing table",
    () => useTable(namespace, record.generation),
    () => useTable(namespace, previous?.generation ?? null),
  );
  await steps.run(
    "switch the XDP program",
    () => useProgram(host, record),
    () => (previous ? useProgram(host, previous) : clearSlot(host, record.slot)),
  );
  await claimPrefixes(change, bundle, record.slot, steps);
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

async function claimPrefixes(change: Change, bundle: Bundle, slot: number, steps: Steps): Promise<void> {
  const { host, previous } = change;
  const after = prefixesOf(bundle.manifest);
  const before = previous ? prefixesOf(previous.manifest) : [];
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
  return prefixes.filter((prefix) => !removed.some((other) => samePrefix(prefix, other)));
}

import type { Manifest } from "../../src/targets/manifest.js";
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
  const { previous } = change;
  const { namespace } = bundle.manifest;
  await releasePrefixes(change, bundle, steps);
  await steps.run(
    "switch the routing table",
    () => useTable(namespace, record.generation),
    () => useTable(namespace, previous?.generation ?? null),
  );
  await switchStages(change, bundle, record, steps);
  await claimPrefixes(change, bundle, record.slot, steps);
}

/**
 * A packet that the old mitigation lets on to the new firewall could get through though both policies drop it. So
 * where both stages change, the customer is closed from before the firewall's change until after that of XDP.
 */
async function switchStages(
  { host, previous }: Change,
  bundle: Bundle,
  record: CustomerRecord,
  steps: Steps,
): Promise<void> {
  const close = () => clearSlot(host, record.slot);
  const reopen = () => (previous ? useProgram(host, previous) : close());
  const closing = previous !== undefined && changesBothStages(previous.manifest, bundle.manifest);
  if (closing) await steps.run("close", close, reopen);
  await steps.run(
    "load the firewall",
    () => loadFirewall(host, bundle),
    () => (previous ? loadFirewall(host, previous.bundle) : unloadFirewall(host, bundle.manifest.namespace)),
  );
  await steps.run("switch the XDP program", () => useProgram(host, record), closing ? close : reopen);
}

function changesBothStages(before: Manifest, after: Manifest): boolean {
  const changes = (file: string) => before.files[file] !== after.files[file];
  const lists = JSON.stringify(before.tables) !== JSON.stringify(after.tables);
  const { customer } = after;
  const early = lists || changes(`xdp/${customer}.bpf.o`) || changes(`xdp/${customer}.data`);
  return early && changes(`nft/${customer}.nft`);
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

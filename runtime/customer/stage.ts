import { mkdir, rm } from "node:fs/promises";
import { type Bundle, copyBundle } from "../bundle.js";
import type { Part, Steps } from "../steps.js";
import { anycast4, type Change } from "./change.js";
import { checkFirewall } from "./firewall.js";
import { customerParts, tunnelParts } from "./parts.js";
import { loadProgram, unloadProgram } from "./program.js";
import { emptyTable, fillTable, tableOf } from "./routes.js";

/**
 * Everything that can fail, done before anything changes for a packet: the verifier, nft, devices and routes that
 * nobody uses yet. Gives the runtime's own copy of the bundle.
 */
export async function stage(change: Change, steps: Steps): Promise<Bundle> {
  const { host, generation, node } = change;
  const { customer, namespace } = change.bundle.manifest;
  const folder = host.paths.bundle(customer, generation);
  const discard = () => rm(folder, { recursive: true, force: true });
  const copy = async () => {
    await discard();
    await mkdir(folder, { recursive: true });
    return copyBundle(change.bundle, folder);
  };
  const bundle = await steps.run("copy the bundle", copy, discard);
  const unload = () => unloadProgram(host, customer, generation);
  await steps.run(
    "load the XDP program",
    () => unload().then(() => loadProgram(host, bundle, generation)),
    unload,
  );
  await steps.ensure(customerParts(host, bundle, node));
  await steps.run(
    "check the firewall",
    () => checkFirewall(host, bundle),
    async () => {},
  );
  await stageTunnels(change, bundle, steps);
  const table = tableOf(generation);
  await steps.run(
    "fill the routing table",
    () => fillTable(bundle, generation),
    () => emptyTable(namespace, table),
  );
  return bundle;
}

/** New tunnels are made; one that stays stays untouched; one whose parameters change is made anew. */
async function stageTunnels(change: Change, bundle: Bundle, steps: Steps): Promise<void> {
  const { gre, node, previous } = change;
  const old = previous ? tunnelParts(gre, previous.bundle, previous.node) : new Map<string, Part>();
  for (const [name, part] of tunnelParts(gre, bundle, node)) {
    const before = old.get(name);
    if (!before || sameTunnel(change, name)) await steps.ensure([part]);
    else await replaceTunnel(change, before, part, steps);
  }
}

/**
 * Both cannot be there at once: they share a name, and with a kernel device perhaps its endpoints. Until the new one
 * stands, packets to it meet the routing table's blackhole: closed, never astray.
 */
async function replaceTunnel(change: Change, before: Part, after: Part, steps: Steps): Promise<void> {
  const { previous } = change;
  const replace = () => before.down().then(() => after.up());
  await steps.run(`${after.name} with other parameters`, replace, async () => {
    await after.down();
    await before.up();
    // The routes to a device go with it.
    if (previous) await fillTable(previous.bundle, previous.generation);
  });
}

function sameTunnel({ previous, bundle, node }: Change, name: string): boolean {
  const row = (manifest: Bundle["manifest"]) =>
    JSON.stringify(manifest.tunnels.find((one) => one.name === name));
  if (!previous || anycast4(previous.node) !== anycast4(node)) return false;
  return row(previous.manifest) === row(bundle.manifest);
}

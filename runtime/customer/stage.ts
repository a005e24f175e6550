import { mkdir, rm } from "node:fs/promises";
import { type Bundle, copyBundle } from "../bundle.js";
import type { Steps } from "../steps.js";
import type { Change } from "./change.js";
import type { Staged } from "./commit.js";
import { judgeBy, unloadFirewall } from "./firewall.js";
import { customerParts } from "./parts.js";
import { clearPlace, loadProgram, unloadProgram, unloadPrograms } from "./program.js";
import { emptyTable, fillTable, tableOf } from "./routes.js";
import { stageTunnels } from "./tunnels.js";

/**
 * Everything that can fail, done before anything changes for a packet: the program, the firewall and the routes of the new
 * generation, beside those of the old.
 */
export async function stage(change: Change, steps: Steps): Promise<Staged> {
  const { host, generation, node } = change;
  const { customer, namespace } = change.bundle.manifest;
  const folder = host.paths.bundle(customer, generation);
  // With the first bundle the customer's own folder comes, and goes.
  const made = change.previous ? folder : host.paths.customer(customer);
  const copy = async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    return copyBundle(change.bundle, folder);
  };
  // As long as something of the customer is left, the folder says that it is ours (runtime/strangers.ts).
  const bundle = await steps.run("copy the bundle", copy, async (clean) => {
    if (clean) await rm(made, { recursive: true, force: true });
  });
  const place = { customer, generation, slot: change.slot };
  const unload = () => clearPlace(host, place).then(() => unloadProgram(host, place));
  await steps.run(
    "load the XDP program",
    () => unload().then(() => loadProgram(host, bundle, place, node, change.previous, change.mend)),
    () => (change.previous ? unload() : clearPlace(host, place).then(() => unloadPrograms(host, customer))),
  );
  const remade = await steps.ensure(customerParts(host, bundle, node));
  await stageTunnels(change, bundle, steps);
  await stageFirewall(change, bundle, steps);
  const table = tableOf(generation);
  await steps.run(
    "fill the routing table",
    () => fillTable(host, bundle, generation),
    () => emptyTable(host, namespace, table),
  );
  return { bundle, remade };
}

async function stageFirewall(change: Change, bundle: Bundle, steps: Steps): Promise<void> {
  const { host, previous, generation, mend } = change;
  const next = { bundle, generation };
  await steps.run(
    "load the firewall",
    () => judgeBy(host, previous ? [next, previous] : [next], { anew: mend }),
    () => (previous ? judgeBy(host, [previous]) : unloadFirewall(host, bundle.manifest.namespace)),
  );
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Manifest } from "../../src/targets/manifest.js";

/** From when it is noted that a router died, or lives again, until all goes by it. */
const SETTLING_MS = 200;

/** Whether all is as what is known of a customer's routers says: now, or as soon as what was noted just now has been done. */
export async function isSettled(
  { tunnels }: Pick<Manifest, "tunnels">,
  asIs: () => Promise<boolean>,
): Promise<boolean> {
  if (await asIs()) return true;
  if (!tunnels.some(({ health }) => health)) return false;
  await sleep(SETTLING_MS);
  return asIs();
}

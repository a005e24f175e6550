import { existsSync } from "node:fs";
import type { Manifest } from "../../src/targets/manifest.js";
import { type Bundle, bundleText } from "../bundle.js";
import { namespaceFile } from "../command.js";
import { batchLines, deleteLink, findLink, ipBatch, ipJson } from "../ip.js";
import type { Part } from "../steps.js";
import type { GreDriver, TunnelRow, TunnelTraffic } from "./driver.js";
import { tunnelText } from "./text.js";

/** GRE devices. The device lives in the customer's namespace, its underlay stays in the default one. */
export function kernelGre(): GreDriver {
  return { name: "kernel", nodeParts: () => [], tunnel, traffic };
}

function tunnel(bundle: Bundle, row: TunnelRow, anycast: string): Part {
  const { customer, namespace } = bundle.manifest;
  return {
    name: `tunnel ${row.name}`,
    present: async () => (await findLink(row.device, namespace)) !== undefined,
    up: async () => {
      await ipBatch(await tunnelText(bundle, row, "gre", anycast));
      await ipBatch(batchLines(await bundleText(bundle, `route/${customer}.${row.name}.up.ip`)), {
        namespace,
      });
    },
    down: async () => {
      // Under this name until it is moved into the namespace.
      await deleteLink(row.peer);
      await deleteLink(row.device, namespace);
    },
  };
}

interface LinkStatistics {
  readonly ifname: string;
  readonly stats64: Record<
    "rx" | "tx",
    { readonly packets: number; readonly bytes: number; readonly dropped: number; readonly errors: number }
  >;
}

/** What is too big for the way, or has none, is an error to the kernel (ip_tunnel_xmit). */
function lostBy(stats: LinkStatistics["stats64"]["tx"] | undefined): number {
  return (stats?.dropped ?? 0) + (stats?.errors ?? 0);
}

/** None for a device that is missing, or whose namespace is: that is drift, and status tells of it. */
async function traffic(
  { namespace }: Pick<Manifest, "namespace">,
  { device }: TunnelRow,
): Promise<TunnelTraffic> {
  const all = existsSync(namespaceFile(namespace))
    ? await ipJson<LinkStatistics>(["-s", "link", "show"], { namespace })
    : [];
  const stats = all.find(({ ifname }) => ifname === device)?.stats64;
  return {
    sent: { packets: stats?.tx.packets ?? 0, bytes: stats?.tx.bytes ?? 0 },
    received: { packets: stats?.rx.packets ?? 0, bytes: stats?.rx.bytes ?? 0 },
    dropped: { packets: lostBy(stats?.tx) + lostBy(stats?.rx), bytes: 0 },
  };
}

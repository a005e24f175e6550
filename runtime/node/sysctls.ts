import { readFile, writeFile } from "node:fs/promises";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";
import type { Part } from "../steps.js";

/** Without forwarding a kernel has no use for a packet to somebody else. */
export function forwardingParts(): readonly Part[] {
  return ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"].map((path) => ({
    name: `sysctl ${path.replaceAll("/", ".")}`,
    present: async () => (await readSysctl(path)) === "1",
    up: () => writeSysctl(path, "1"),
    down: () => writeSysctl(path, "0"),
  }));
}

/**
 * A customer's packet may come in by one uplink while the way back to its sender leads by another, and what
 * comes out of a tunnel has a source that the main table routes elsewhere. Strict filtering (RFC 3704, value
 * 1) drops both. The kernel takes the larger of the device's value and that of `all`.
 */
export async function requireLooseFiltering(node: NodeConfig): Promise<void> {
  for (const device of ["all", ...node.uplinks]) {
    if ((await readSysctl(`net/ipv4/conf/${device}/rp_filter`)) !== "1") continue;
    const key = `net.ipv4.conf.${device}.rp_filter`;
    throw failure(
      "TG9003",
      { device },
      `set it to loose: sysctl -w ${key}=2 (and in /etc/sysctl.d to keep it)`,
    );
  }
}

export async function readSysctl(path: string): Promise<string> {
  return (await readFile(`/proc/sys/${path}`, "utf8")).trim();
}

export function writeSysctl(path: string, value: string): Promise<void> {
  return writeFile(`/proc/sys/${path}`, value);
}

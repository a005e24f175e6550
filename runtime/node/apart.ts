import { type Host, tolerating } from "../host.js";
import { ERRNO, type Loader, LoaderError } from "../loader-client.js";
import type { Part } from "../steps.js";
import { rootProgramName } from "./root-program.js";

/**
 * What a device receives stays apart. The kernel would merge a stream's packets to one of up to 64 KB (generic receive
 * offload), behind XDP in native mode and before it in generic mode: whatever asks for a packet's length, or counts
 * packets, as limits and counters do, would see packets that nobody sent.
 */
export function packetsApart({ loader }: Host, device: string): Part {
  return {
    name: `packets of ${device} kept apart`,
    // With XDP a veth begins to merge, unless it was told not to (veth_enable_xdp).
    foundBefore: rootProgramName(device),
    present: () => keepsApart(loader, device),
    up: () => loader.setMergesReceived(device, false),
    down: () => tolerating(["ENODEV"], loader.setMergesReceived(device, true)),
  };
}

/** False, too, for a device that is not there. */
async function keepsApart(loader: Loader, device: string): Promise<boolean> {
  try {
    return !(await loader.mergesReceived(device));
  } catch (error) {
    if (error instanceof LoaderError && error.errno === ERRNO.ENODEV) return false;
    throw error;
  }
}

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { uplinkRow } from "../customer/fast-path.js";
import { causeOf, failure } from "../failures.js";
import { builtFile, type Host, tolerating } from "../host.js";
import { ERRNO, LoaderError } from "../loader-client.js";
import { findLink } from "../netlink/link.js";
import type { Paths } from "../state.js";
import type { Part } from "../steps.js";

const program = (paths: Paths) => paths.bpf("root", "prog_tidegate_root");
const linkPin = (paths: Paths, device: string) => paths.bpf("root", `link_${device}`);

/** A map that the root program shares with the customers' programs and with the runtime. */
export function rootMap(
  paths: Paths,
  name:
    | "customers_4"
    | "customers_6"
    | "stamps"
    | "programs"
    | "packet"
    | "watchers"
    | "uplinks"
    | "root_counters",
): string {
  return paths.bpf("root", `map_${name}`);
}

/** The program that judges first: malformed packets, then dispatch to the customer's own program. */
export function rootProgram({ loader, paths }: Host): Part {
  const pinDir = paths.bpf("root");
  return {
    name: "root program",
    present: async () => existsSync(program(paths)),
    up: () => loader.loadObject({ object: builtFile("bpf/root.bpf.o"), pinDir, reuse: {} }),
    down: () => rm(pinDir, { recursive: true, force: true }),
  };
}

export function rootProgramName(device: string): string {
  return `root program on ${device}`;
}

/** The root program on one device, by a pinned link: it stays when the process that attached it ends. */
export function rootProgramOn(host: Host, device: string): Part {
  const { loader, paths } = host;
  return {
    name: rootProgramName(device),
    present: async () => (await xdpMode(host, device)) !== null,
    up: async () => {
      // A link whose device was deleted and made anew is still pinned, and attached to nothing.
      await tolerating(["ENOENT"], loader.detachXdp(linkPin(paths, device)));
      await attach(host, device);
    },
    down: () => tolerating(["ENOENT"], loader.detachXdp(linkPin(paths, device))),
  };
}

/**
 * What customers' programs know an uplink by that send packets on themselves: they take packets to its address, and send out by
 * it. A root program from before there was such a map has none, and nothing to fill in.
 */
export function uplinkKnown(host: Host, device: string): Part {
  const { loader, paths } = host;
  const pin = rootMap(paths, "uplinks");
  const row = async () => {
    const link = await findLink(host, device);
    return link && uplinkRow(link.index, link.mac);
  };
  return {
    name: `uplink ${device} known to XDP`,
    present: async () => {
      const wanted = await row();
      if (!existsSync(pin)) return existsSync(program(paths));
      if (!wanted) return false;
      const [found] = await loader.lookupMap(pin, [wanted.key]);
      return found?.[0]?.equals(wanted.value) === true;
    },
    up: async () => {
      const wanted = await row();
      if (wanted && existsSync(pin)) await loader.updateMap(pin, [wanted]);
    },
    down: async () => {
      const wanted = await row();
      if (wanted && existsSync(pin)) await tolerating(["ENOENT"], loader.deleteFromMap(pin, [wanted.key]));
    },
  };
}

/** How the root program runs on `device`; null if it does not. */
export async function xdpMode(host: Host, device: string): Promise<"native" | "generic" | null> {
  const { loader, paths } = host;
  if (!existsSync(program(paths))) return null;
  const [link, root] = await Promise.all([findLink(host, device), loader.pinnedId(program(paths))]);
  return link?.xdp?.program === root.id ? link.xdp.mode : null;
}

async function attach({ loader, paths }: Host, device: string): Promise<void> {
  const request = { device, program: program(paths), link: linkPin(paths, device) };
  try {
    await loader.attachXdp({ ...request, mode: "native" });
  } catch (error) {
    if (isBusy(error)) throw busy(device, error);
    // Not every driver has native XDP; generic is slower and means the same.
    await loader.attachXdp({ ...request, mode: "generic" }).catch((second: unknown) => {
      throw isBusy(second)
        ? busy(device, second)
        : new Error(`${causeOf(second)} (native: ${causeOf(error)})`);
    });
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof LoaderError && (error.errno === ERRNO.EBUSY || error.errno === ERRNO.EEXIST);
}

function busy(device: string, cause: unknown): Error {
  return failure(
    "TG9005",
    { device },
    `look: ip link show dev ${device}; detach: ip link set dev ${device} xdp off`,
    cause,
  );
}

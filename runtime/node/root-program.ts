import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
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
    | "ways_back"
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

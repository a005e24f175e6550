import { existsSync } from "node:fs";
import { namespaceFile } from "../command.js";
import { ERRNO, type Loader, LoaderError } from "../loader-client.js";
import { type Message, readMessages } from "./message.js";

/** A network namespace, and by whom it is spoken to. */
export interface Network {
  readonly loader: Loader;
  /** Its name; without it, the namespace that Tidegate was started in. */
  readonly namespace?: string | undefined;
}

/** The same, in a namespace. */
export function inside({ loader }: Pick<Network, "loader">, namespace: string): Network {
  return { loader, namespace };
}

/** IPv4 or IPv6. */
export type Family = 4 | 6;

/** AF_INET and AF_INET6. */
export function addressFamily(family: Family): number {
  return family === 4 ? 2 : 10;
}

/** Something that the kernel is to do. */
export interface Request {
  /** What it is, as ip(8) would be told; a failure says so. */
  readonly words: string;
  /** Names of the devices that it names by their index. */
  readonly devices: readonly string[];
  /** Another namespace that it names by the descriptor OTHER_NAMESPACE. */
  readonly other?: string;
  readonly encode: (indexOf: (device: string) => number) => Uint8Array;
}

/** OTHER_FD of runtime/loader/netlink.c. */
export const OTHER_NAMESPACE = 100;

/** The file of a namespace; null: that of Tidegate itself. */
export function fileOf(namespace: string | undefined): string | null {
  return namespace === undefined ? null : namespaceFile(namespace);
}

/** Is there such a namespace at all? What is asked of one that is missing has no answer. */
export function isThere({ namespace }: Network): boolean {
  return namespace === undefined || existsSync(namespaceFile(namespace));
}

/** The answers to one request. `none`: errors that mean that there is nothing to tell of, or to do. */
export async function ask(
  network: Network,
  words: string,
  message: Uint8Array,
  none: readonly (keyof typeof ERRNO)[] = [],
): Promise<readonly Message[]> {
  if (!isThere(network)) return [];
  const { loader, namespace } = network;
  const asked = { namespace: fileOf(namespace), other: null, requests: [{ words, message }] };
  try {
    return readMessages(await loader.netlink(asked));
  } catch (error) {
    if (error instanceof LoaderError && none.some((name) => ERRNO[name] === error.errno)) return [];
    throw error;
  }
}

import type { Manifest } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";
import { addresses, LOOPBACK } from "../netlink/address.js";
import { linkAt } from "../netlink/link.js";
import type { Family, Network } from "../netlink/network.js";
import { LOCAL_TABLE, tableRoutes } from "../netlink/route.js";
import {
  type Block,
  blockText,
  contains,
  hostBlock,
  isFilledBy,
  parsePrefixes,
  sameBlock,
} from "../prefix.js";
import { type RuntimeWarning, warning } from "../warnings.js";

/** An address of the server's own, or a block that is its own as a whole. */
export interface OwnAddress extends Block {
  readonly device: string;
}

/** One that lies in a customer's prefix, or the part of it that does: what comes for the server there is taken for the customer's. */
export interface TakenAddress {
  readonly address: string;
  readonly device: string;
  readonly prefix: string;
}

/** Loopback and link-local addresses (RFC 6890), which mean another host everywhere; each customer's link has some. */
const EVERYBODYS = parsePrefixes(["127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10"]);

interface Found extends Block {
  /** Index of the device; 0: none is said. */
  readonly device: number;
}

/**
 * All addresses of the server but `anycast`, which are Tidegate's business and looked at where edge.ts is read (TG2043), and of those
 * that a change takes out of edge.ts (`leaving`) what is on `lo`: there it ends with the change, on a device of the operator's it stays.
 */
export async function ownAddresses(
  network: Network,
  anycast: readonly string[],
  leaving: readonly string[] = [],
): Promise<readonly OwnAddress[]> {
  const [known, ending] = [blocksOf(anycast), blocksOf(leaving)];
  const found = (await Promise.all(([4, 6] as const).map((family) => allOwn(network, family)))).flat();
  // Bytes alone: nearly all of many customers' links is everybody's, and each change asks.
  const own = found.filter((one) => {
    if (EVERYBODYS.some((everybodys) => contains(everybodys, one))) return false;
    const isEnding = one.device === LOOPBACK && ending.some((ours) => sameBlock(ours, one));
    return !isEnding && !known.some((ours) => sameBlock(ours, one));
  });
  const each = new Map(own.map((one) => [`${blockText(one)} ${one.device}`, one]));
  const named = [...each.values()].map(async (one) => {
    const device = await nameOf(network, one.device);
    return device === undefined ? [] : [{ ...one, device }];
  });
  return (await Promise.all(named)).flat();
}

function blocksOf(addresses: readonly string[]): readonly Block[] {
  return addresses.flatMap(hostBlock);
}

/** undefined: the device has gone meanwhile. */
async function nameOf(network: Network, device: number): Promise<string | undefined> {
  // A route that goes by a group of nexthops, or by several ways, names no device of its own.
  return device === 0 ? "table local" : (await linkAt(network, device))?.name;
}

/**
 * What the local table has, also without any device's having the address (`ip route add local … dev lo`), and what devices have: those
 * of a VRF are in its own table, and one of IPv6 is in none as long as the kernel looks whether another host has it (RFC 4862, 5.4).
 */
async function allOwn(network: Network, family: Family): Promise<readonly Found[]> {
  const [routes, given] = await Promise.all([
    tableRoutes(network, family, LOCAL_TABLE, { type: "local" }),
    addresses(network, family),
  ]);
  return [
    ...routes.map(({ destination, length, device }) => ({ family, bytes: destination, length, device })),
    ...given.map(({ bytes, device }) => ({ family, bytes, length: bytes.length * 8, device })),
  ];
}

/** Those of them that lie in a customer's prefixes. */
export function takenBy(
  manifest: Pick<Manifest, "prefixes">,
  own: readonly OwnAddress[],
): readonly TakenAddress[] {
  return blocksTaken(manifest, own).map(({ block, device, prefix }) => ({
    address: blockText(block),
    device,
    prefix,
  }));
}

interface Taken {
  readonly block: Block;
  readonly device: string;
  readonly prefix: string;
}

function blocksTaken({ prefixes }: Pick<Manifest, "prefixes">, own: readonly OwnAddress[]): readonly Taken[] {
  const held = parsePrefixes(prefixes);
  return own.flatMap((one): readonly Taken[] => {
    const { device } = one;
    const around = held.find((prefix) => contains(prefix, one));
    if (around) return [{ block: one, device, prefix: around.text }];
    const within = held.filter((prefix) => contains(one, prefix));
    return within.map((prefix) => ({ block: prefix, device, prefix: prefix.text }));
  });
}

/**
 * Throws TG9023 where a customer claims an address of the server's. What it has in force already stays its own: an address that came
 * later is no reason to keep a change from it (`warnOfOwn`).
 */
export function refuseOwn(
  manifest: Manifest,
  inForce: Pick<Manifest, "prefixes"> | undefined,
  own: readonly OwnAddress[],
): void {
  const held = parsePrefixes(inForce?.prefixes ?? []);
  const claimed = blocksTaken(manifest, own).find(({ block }) => !isFilledBy(block, held));
  if (!claimed) return;
  const { block, device, prefix } = claimed;
  const about = { address: blockText(block), device, prefix };
  throw failure("TG9023", { ...about, customer: manifest.customer }, hintFor(device));
}

/** TG9024 for each address of the server's in the prefixes of a customer in force. */
export function warnOfOwn(manifest: Manifest, own: readonly OwnAddress[]): readonly RuntimeWarning[] {
  const { customer } = manifest;
  return takenBy(manifest, own).map((one) =>
    warning("TG9024", { ...one, customer }, `${hintFor(one.device)}; ${AT_NEXT_START}`),
  );
}

/** Nothing is in force then, and `refuseOwn` knows no prefix that was the customer's before. */
const AT_NEXT_START = "else the whole customer is refused at the next start of the machine";

function hintFor(device: string): string {
  return `give \`${device}\` an address that is in no customer's prefix, or the customer prefixes around it`;
}

import type { Manifest } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";
import { addresses, LOOPBACK } from "../netlink/address.js";
import { linkAt } from "../netlink/link.js";
import type { Family, Network } from "../netlink/network.js";
import { LOCAL_TABLE, tableRoutes } from "../netlink/route.js";
import { addressBytes, addressText, contains, type Prefix, parsePrefix, parsePrefixes } from "../prefix.js";
import { type RuntimeWarning, warning } from "../warnings.js";

/** An address of the server's own, or a prefix that is its own as a whole. */
export interface OwnAddress {
  readonly address: string;
  readonly device: string;
}

/** One that lies in a customer's prefix, or the part of it that does: what comes for the server there is taken for the customer's. */
export interface TakenAddress extends OwnAddress {
  readonly prefix: string;
}

/** Loopback and link-local addresses (RFC 6890), which mean another host everywhere; each customer's link has some. */
const EVERYBODYS = parsePrefixes(["127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10"]);

interface Found {
  readonly prefix: Prefix;
  /** Index of the device. */
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
  const [known, ending] = [keysOf(anycast), keysOf(leaving)];
  const found = (await Promise.all(([4, 6] as const).map((family) => allOwn(network, family)))).flat();
  const own = found.filter(({ prefix, device }) => {
    const key = keyOf(prefix);
    const isOurs = known.has(key) || (ending.has(key) && device === LOOPBACK);
    return !isOurs && !EVERYBODYS.some((everybodys) => contains(everybodys, prefix));
  });
  const each = new Map(own.map((one) => [`${keyOf(one.prefix)} ${one.device}`, one]));
  const named = [...each.values()].map(async ({ prefix, device }) => {
    const link = await linkAt(network, device);
    // It may have gone meanwhile.
    return link ? [{ address: prefix.text, device: link.name }] : [];
  });
  return (await Promise.all(named)).flat();
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
    ...routes.map(({ destination, length, device }) => ({ prefix: prefixOf(destination, length), device })),
    ...given.map(({ bytes, device }) => ({ prefix: hostOf(bytes), device })),
  ];
}

/** Those of them that lie in a customer's prefixes. */
export function takenBy(
  { prefixes }: Pick<Manifest, "prefixes">,
  own: readonly OwnAddress[],
): readonly TakenAddress[] {
  const held = parsePrefixes(prefixes);
  return own.flatMap(({ address, device }) => {
    const one = parseOwn(address);
    const around = held.find((prefix) => contains(prefix, one));
    if (around) return [{ address, device, prefix: around.text }];
    const within = held.filter((prefix) => contains(one, prefix));
    return within.map(({ text }) => ({ address: text, device, prefix: text }));
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
  const held = inForce ? takenBy(inForce, own).map(({ address }) => parseOwn(address)) : [];
  const claimed = takenBy(manifest, own).find(
    ({ address }) => !held.some((prefix) => contains(prefix, parseOwn(address))),
  );
  if (!claimed) return;
  const { customer } = manifest;
  throw failure("TG9023", { ...claimed, customer }, hintFor(claimed));
}

/** TG9024 for each address of the server's in the prefixes of a customer in force. */
export function warnOfOwn(manifest: Manifest, own: readonly OwnAddress[]): readonly RuntimeWarning[] {
  const { customer } = manifest;
  return takenBy(manifest, own).map((one) =>
    warning("TG9024", { ...one, customer }, `${hintFor(one)}; ${AT_NEXT_START}`),
  );
}

/** Nothing is in force then, and `refuseOwn` knows no prefix that was the customer's before. */
const AT_NEXT_START = "else the whole customer is refused at the next start of the machine";

function hintFor({ device }: TakenAddress): string {
  return `give \`${device}\` an address that is in no customer's prefix, or the customer prefixes around it`;
}

function hostOf(bytes: Uint8Array): Prefix {
  return prefixOf(bytes, bytes.length * 8);
}

function prefixOf(bytes: Uint8Array, length: number): Prefix {
  const isHost = length === bytes.length * 8;
  const text = isHost ? addressText(bytes) : `${addressText(bytes)}/${length}`;
  return { text, family: bytes.length === 4 ? 4 : 6, bytes, length };
}

function parseOwn(text: string): Prefix {
  return parsePrefix(text) ?? hostOf(addressBytes(text) ?? new Uint8Array());
}

function keysOf(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.map((text) => keyOf(parseOwn(text))));
}

function keyOf({ bytes, length }: Prefix): string {
  return `${bytes.join(".")}/${length}`;
}

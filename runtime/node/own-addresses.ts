import type { Manifest } from "../../src/targets/manifest.js";
import { failure } from "../failures.js";
import { addresses } from "../netlink/address.js";
import { linkAt } from "../netlink/link.js";
import type { Network } from "../netlink/network.js";
import { addressBytes, addressText, contains, type Prefix, parsePrefixes } from "../prefix.js";
import { type RuntimeWarning, warning } from "../warnings.js";

/** An address of the server's own. */
export interface OwnAddress {
  readonly address: string;
  readonly device: string;
}

/** One that lies in a customer's prefix: what comes for the server there is taken for the customer's. */
export interface TakenAddress extends OwnAddress {
  readonly prefix: string;
}

/** Loopback and link-local addresses (RFC 6890), which mean another host everywhere; each customer's link has some. */
const EVERYBODYS = parsePrefixes(["127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10"]);

/** The addresses of all devices but `anycast`, which are Tidegate's business and looked at where edge.ts is read (TG2043). */
export async function ownAddresses(
  network: Network,
  anycast: readonly string[],
): Promise<readonly OwnAddress[]> {
  const known = new Set(anycast.map((address) => addressBytes(address)?.join(".")));
  const found = (await Promise.all(([4, 6] as const).map((family) => addresses(network, family)))).flat();
  const own = found.filter(({ bytes }) => {
    return !known.has(bytes.join(".")) && !EVERYBODYS.some((prefix) => contains(prefix, hostOf(bytes)));
  });
  const named = own.map(async ({ bytes, device }) => {
    const link = await linkAt(network, device);
    // It may have gone meanwhile.
    return link ? [{ address: addressText(bytes), device: link.name }] : [];
  });
  return (await Promise.all(named)).flat();
}

/** Those of them that lie in a customer's prefixes. */
export function takenBy(
  { prefixes }: Pick<Manifest, "prefixes">,
  own: readonly OwnAddress[],
): readonly TakenAddress[] {
  return own.flatMap(({ address, device }) => {
    const host = hostOf(addressBytes(address) ?? new Uint8Array());
    const around = parsePrefixes(prefixes).find((prefix) => contains(prefix, host));
    return around ? [{ address, device, prefix: around.text }] : [];
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
  const held = new Set(inForce ? takenBy(inForce, own).map(({ address }) => address) : []);
  const claimed = takenBy(manifest, own).find(({ address }) => !held.has(address));
  if (!claimed) return;
  const { customer } = manifest;
  throw failure("TG9023", { ...claimed, customer }, hintFor(claimed));
}

/** TG9024 for each address of the server's in the prefixes of a customer in force. */
export function warnOfOwn(manifest: Manifest, own: readonly OwnAddress[]): readonly RuntimeWarning[] {
  const { customer } = manifest;
  return takenBy(manifest, own).map((one) => warning("TG9024", { ...one, customer }, hintFor(one)));
}

function hintFor({ device }: TakenAddress): string {
  return `give \`${device}\` an address that is in no customer's prefix, or the customer prefixes around it`;
}

function hostOf(bytes: Uint8Array): Prefix {
  return { text: "", family: bytes.length === 4 ? 4 : 6, bytes, length: bytes.length * 8 };
}

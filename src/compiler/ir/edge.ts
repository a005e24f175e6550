import type { Spanned } from "../diagnostics/span.js";
import type { Address, Family } from "./address.js";
import type { OwnedPrefix } from "./policy.js";

/** Who may claim which prefixes. */
export interface Owner extends Spanned {
  readonly customer: string;
  readonly prefixes: readonly OwnedPrefix[];
}

/** A key that an edge server trusts. */
export interface TrustedKey extends Spanned {
  readonly name: string;
  /** The Ed25519 public key as SubjectPublicKeyInfo (RFC 8410), in base64. */
  readonly key: string;
  /** The customers whose bundles it may sign; null: all. Never empty. */
  readonly customers: readonly string[] | null;
}

/** One edge server, as its operator describes it. Servers of one fleet share one description. */
export interface EdgeNode extends Spanned {
  /** Names of the devices that packets from the Internet come in by. */
  readonly uplinks: readonly string[];
  /** Outer sources of all tunnels, the same on every server, for those over IPv4 and over IPv6. At least one of them is there. */
  readonly anycast: Readonly<Record<Family, Address | null>>;
  readonly owners: readonly Owner[];
  /** Who may sign bundles; null: unsigned ones are taken. Never empty. */
  readonly keys: readonly TrustedKey[] | null;
}

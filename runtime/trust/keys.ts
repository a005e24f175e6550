import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { NodeConfig } from "../../src/targets/manifest.js";

/** The keys that a node trusts, by the operator's names. */
export type TrustedKeys = NonNullable<NodeConfig["keys"]>;

export interface TrustedKey {
  readonly name: string;
  readonly publicKey: KeyObject;
  /** The customers whose bundles it may sign; null: all. */
  readonly customers: readonly string[] | null;
}

/** The text that `edge.ts` has of a key: its SubjectPublicKeyInfo (RFC 8410) in base64, the middle line of its PEM file. */
export function publicKeyText(key: KeyObject): string {
  return publicDer(key).toString("base64");
}

/** SHA-256 of the public key's SubjectPublicKeyInfo: the same for a private key and its public one. */
export function keyId(key: KeyObject): string {
  return `sha256:${createHash("sha256").update(publicDer(key)).digest("hex")}`;
}

/** By key id. Throws for a text that is no public key, which a node configuration does not have. */
export function trustedById(keys: TrustedKeys): ReadonlyMap<string, TrustedKey> {
  return new Map(
    Object.entries(keys).map(([name, { key, customers }]) => {
      const der = Buffer.from(key, "base64");
      const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
      return [keyId(publicKey), { name, publicKey, customers: customers ?? null }];
    }),
  );
}

/** Ed25519 (RFC 8032): 64 bytes, the same for the same key and message. */
export function signEd25519(key: KeyObject, message: Uint8Array): Uint8Array {
  return sign(null, message, key);
}

export function verifiesEd25519(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, key, signature);
}

function publicDer(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ format: "der", type: "spki" });
}

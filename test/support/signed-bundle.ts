import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publicKeyText, type TrustedKeys } from "../../runtime/trust/keys.js";
import { SIGNATURE_FILE, signRelease } from "../../runtime/trust/release.js";
import { sha256, writeIn } from "./tiny-bundle.js";

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newKey(): KeyPair {
  return generateKeyPairSync("ed25519");
}

/** As `keys` of a node: for all customers, or for some. */
export function trusted(pair: KeyPair, ...customers: readonly string[]): TrustedKeys[string] {
  const key = publicKeyText(pair.publicKey);
  return customers.length > 0 ? { key, customers: [...customers] } : { key };
}

/** Signs whatever manifest lies in `folder`, good or bad. */
export function signFolder(folder: string, pair: KeyPair, serial: number, customer = "acme"): string {
  const manifest = sha256(readFileSync(join(folder, "manifest.json")));
  writeIn(folder, SIGNATURE_FILE, signRelease({ customer, serial, manifest }, pair.privateKey));
  return folder;
}

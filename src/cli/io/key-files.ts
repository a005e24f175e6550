import { createPrivateKey, type KeyObject } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { UsageError } from "../exit.js";
import { reason } from "./read-source.js";

/** A file of this size is no key. */
const MAX_KEY_BYTES = 16 * 1024;

/** Writes a key pair, both files or none; what is there already is never replaced. */
export function writeKeyFiles(
  privateFile: { readonly path: string; readonly pem: string },
  publicFile: { readonly path: string; readonly pem: string },
): void {
  writeNew(privateFile.path, privateFile.pem, 0o600);
  try {
    writeNew(publicFile.path, publicFile.pem, 0o644);
  } catch (problem) {
    rmSync(privateFile.path);
    throw problem;
  }
}

function writeNew(path: string, pem: string, mode: number): void {
  try {
    writeFileSync(path, pem, { flag: "wx", mode });
  } catch (problem) {
    const exists = (problem as NodeJS.ErrnoException).code === "EEXIST";
    throw new UsageError(
      exists ? `${path} is there already; it is left as it is` : `cannot write ${path}: ${reason(problem)}`,
    );
  }
}

/** Reads an Ed25519 private key. One that others can read, too, signs nothing: it may be anybody's by now. */
export function readPrivateKey(path: string): KeyObject {
  const pem = readSecret(path);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    const why = /ENCRYPTED/.test(pem) ? "it is encrypted, which is not supported" : "it is no private key";
    throw new UsageError(`${path} cannot be used: ${why}; \`tidegate keygen\` makes one`);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw new UsageError(`${path} is a key for ${key.asymmetricKeyType}; signatures here are Ed25519`);
  return key;
}

function readSecret(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      const { mode, size } = fstatSync(file);
      if (size > MAX_KEY_BYTES) throw new UsageError(`${path} is no key: it has ${size} bytes`);
      const pem = readFileSync(file, "utf8");
      if (pem.includes("PUBLIC KEY"))
        throw new UsageError(`${path} is a public key, which checks signatures; sign with its private one`);
      if ((mode & 0o077) !== 0) throw new UsageError(`others can read ${path}: chmod 600 ${path}`);
      return pem;
    } finally {
      closeSync(file);
    }
  } catch (problem) {
    if (problem instanceof UsageError) throw problem;
    throw new UsageError(`cannot read ${path}: ${reason(problem)}`);
  }
}

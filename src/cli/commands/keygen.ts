import { generateKeyPairSync } from "node:crypto";
import { basename } from "node:path";
import pc from "picocolors";
import { keyId, publicKeyText } from "../../../runtime/trust/keys.js";
import { safeName } from "../../compiler/passes/names.js";
import { EXIT, UsageError } from "../exit.js";
import { writeKeyFiles } from "../io/key-files.js";
import { printable } from "../render/underline.js";

/** `tidegate keygen`: a key pair to sign bundles with, and the line that makes edge servers trust it. */
export async function keygen(name: string, options: { readonly json?: boolean }): Promise<number> {
  const property = safeName(basename(name));
  if (property === undefined) throw new UsageError(`${name} cannot be the name of a key`);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const files = { private: `${name}.key`, public: `${name}.pub` };
  writeKeyFiles(
    { path: files.private, pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() },
    { path: files.public, pem: publicKey.export({ type: "spki", format: "pem" }).toString() },
  );
  const made = { name: property, keyId: keyId(publicKey), key: publicKeyText(publicKey), files };
  if (options.json) console.log(JSON.stringify(made));
  else {
    console.log(`${pc.green("ok")} ${printable(files.private)} signs; keep it secret`);
    console.log(`   ${printable(files.public)} is for edge.ts:`);
    console.log(`   keys: { ${propertyName(property)}: { key: "${made.key}" } },`);
  }
  return EXIT.ok;
}

function propertyName(name: string): string {
  return /^[a-z][a-z0-9]*$/.test(name) ? name : `"${name}"`;
}

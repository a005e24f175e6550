import { join } from "node:path";
import pc from "picocolors";
import { readBundle } from "../../../runtime/bundle.js";
import { keyId } from "../../../runtime/trust/keys.js";
import { addSignature, SIGNATURE_FILE, serialOf, signRelease } from "../../../runtime/trust/release.js";
import { EXIT, UsageError } from "../exit.js";
import { readPrivateKey } from "../io/key-files.js";
import { placeFile } from "../io/replace-file.js";
import { printable } from "../render/underline.js";

interface SignOptions {
  readonly key: string;
  readonly serial?: string;
  readonly add?: boolean;
  readonly json?: boolean;
}

/** `tidegate sign`: a signature beside a bundle's manifest. A bundle that no node would take is not signed. */
export async function sign(dir: string, options: SignOptions): Promise<number> {
  const key = readPrivateKey(options.key);
  if (options.add && options.serial !== undefined)
    throw new UsageError("--add signs what is signed already, with its serial: leave --serial out");
  const { manifest, hash, contents } = await readBundle(dir);
  const { customer } = manifest;
  const before = contents.get(SIGNATURE_FILE)?.toString();
  if (options.add && before === undefined) throw new UsageError(`${dir} has no signature to add to`);
  const text =
    options.add && before !== undefined
      ? addSignature(before, hash, key)
      : signRelease({ customer, serial: readSerial(options.serial), manifest: hash }, key);
  placeFile(join(dir, SIGNATURE_FILE), text);
  const signed = { customer, serial: serialOf(text), manifest: hash, keyId: keyId(key) };
  if (options.json) console.log(JSON.stringify(signed));
  else
    console.log(
      `${pc.green("ok")} ${customer} serial ${signed.serial} → ${printable(dir)}/${SIGNATURE_FILE}`,
    );
  return EXIT.ok;
}

/** The time where none is given, so that what is signed later is newer, without anybody counting. */
export function readSerial(written: string | undefined): number {
  if (written === undefined) return Date.now();
  const serial = /^\d{1,16}$/.test(written) ? Number(written) : Number.NaN;
  if (Number.isSafeInteger(serial)) return serial;
  throw new UsageError(`--serial must be a whole number up to ${Number.MAX_SAFE_INTEGER}, not ${written}`);
}

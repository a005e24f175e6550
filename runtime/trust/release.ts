import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { causeOf, failure, RuntimeFailure } from "../failures.js";
import { type Envelope, formatEnvelope, parseEnvelope, preAuthenticationEncoding } from "./dsse.js";
import {
  keyId,
  signEd25519,
  type TrustedKey,
  type TrustedKeys,
  trustedById,
  verifiesEd25519,
} from "./keys.js";

/** In a bundle beside manifest.json, which does not list it: it is made afterwards. */
export const SIGNATURE_FILE = "signature.json";

const PAYLOAD_TYPE = "application/vnd.tidegate.release+json";

/**
 * What a signature says: this manifest, and with it every file whose hash it lists, is this customer's release of this
 * serial. A bundle stays what its policy makes of it; when it was released, and by whom, is said beside it.
 */
const releaseSchema = z.strictObject({
  schema: z.literal(1),
  customer: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  /** Grows from release to release of a customer: `tidegate sign` takes the time, in milliseconds since 1970. */
  serial: z.int().nonnegative(),
  /** SHA-256 of manifest.json. */
  manifest: z.string().regex(/^[0-9a-f]{64}$/),
});
type Statement = z.infer<typeof releaseSchema>;

/** A statement that keys which the node trusts have signed. */
export interface Release extends Omit<Statement, "schema"> {
  /** Names of the keys, as the operator calls them. */
  readonly signers: readonly string[];
}

/** The text of a signature file over one statement, signed by `key`. */
export function signRelease(release: Omit<Statement, "schema">, key: KeyObject): string {
  const { customer, serial, manifest } = release;
  const payload = Buffer.from(formatStatement({ schema: 1, customer, serial, manifest }));
  return formatEnvelope(countersign({ payloadType: PAYLOAD_TYPE, payload, signatures: [] }, key));
}

/** The same statement with one more signature. Throws TG5013 for a text that is no signature file, TG5017 for another's. */
export function addSignature(text: string, manifest: string, key: KeyObject): string {
  const envelope = readEnvelope(text);
  requireThisBundle(readStatement(envelope), manifest);
  return formatEnvelope(countersign(envelope, key));
}

/** The serial of a signature file, whoever signed it. */
export function serialOf(text: string): number {
  return readStatement(readEnvelope(text)).serial;
}

/** What a signature file says of a bundle that is in force, and who of those whom the node trusts by now has signed it. */
export interface KnownRelease {
  readonly serial: number;
  /** Names of keys; none where the node names none, or trusts none of those any more. */
  readonly signedBy: readonly string[];
}

/** Null for a text that is no signature file of this manifest. */
export function knownRelease(
  text: string,
  manifest: string,
  keys: TrustedKeys | undefined,
): KnownRelease | null {
  try {
    const statement = readStatement(readEnvelope(text));
    if (statement.manifest !== manifest) return null;
    return { serial: statement.serial, signedBy: signersOf(text, manifest, keys) };
  } catch (error) {
    if (error instanceof RuntimeFailure) return null;
    throw error;
  }
}

function signersOf(text: string, manifest: string, keys: TrustedKeys | undefined): readonly string[] {
  try {
    return keys ? checkRelease(text, manifest, keys).signers : [];
  } catch (error) {
    if (error instanceof RuntimeFailure) return [];
    throw error;
  }
}

/**
 * Who vouches for the bundle with this manifest? Throws TG5013 to TG5017 unless a trusted key does that may sign for its
 * customer. Nothing of the payload is read before a signature holds.
 */
export function checkRelease(text: string, manifest: string, keys: TrustedKeys): Release {
  const envelope = readEnvelope(text);
  const trusted = trustedById(keys);
  const known = envelope.signatures.flatMap(({ keyId, bytes }) => {
    const key = trusted.get(keyId);
    return key ? [{ key, bytes }] : [];
  });
  if (known.length === 0) throw nobodyKnown(envelope, keys);
  const message = preAuthenticationEncoding(envelope);
  const forged = known.find(({ key, bytes }) => !verifiesEd25519(key.publicKey, message, bytes));
  if (forged) {
    const hint = "sign the bundle again, and find out who changed it on its way";
    throw failure("TG5015", { key: forged.key.name }, hint);
  }
  const statement = readStatement(envelope);
  const signers = signersFor(
    statement.customer,
    known.map(({ key }) => key),
  );
  requireThisBundle(statement, manifest);
  const { customer, serial } = statement;
  return { customer, serial, manifest, signers };
}

function signersFor(customer: string, keys: readonly TrustedKey[]): readonly string[] {
  const allowed = keys.filter(({ customers }) => customers === null || customers.includes(customer));
  const [first] = keys;
  if (allowed.length > 0 || !first) return allowed.map(({ name }) => name);
  const hint = `it signs for: ${first.customers?.join(", ")}; see \`keys\` of the node`;
  throw failure("TG5016", { key: first.name, customer }, hint);
}

function nobodyKnown({ signatures }: Envelope, keys: TrustedKeys): Error {
  const ids = signatures.map(({ keyId }) => keyId).join(", ");
  return failure("TG5014", { keys: ids }, `sign it with one of: ${Object.keys(keys).sort().join(", ")}`);
}

function requireThisBundle({ customer, manifest: signed }: Statement, manifest: string): void {
  if (signed === manifest) return;
  const hint = "a bundle that was compiled again is another one: sign it again with `tidegate sign`";
  throw failure("TG5017", { customer }, hint);
}

function readEnvelope(text: string): Envelope {
  let envelope: Envelope;
  try {
    envelope = parseEnvelope(text);
  } catch (error) {
    throw unreadable(error);
  }
  if (envelope.payloadType === PAYLOAD_TYPE) return envelope;
  throw unreadable(new Error(`it signs \`${envelope.payloadType}\`, not \`${PAYLOAD_TYPE}\``));
}

/** A statement has one spelling, so that no two readers of it can differ. */
function readStatement({ payload }: Envelope): Statement {
  let statement: Statement;
  try {
    statement = releaseSchema.parse(JSON.parse(payload.toString()));
  } catch (error) {
    throw unreadable(error);
  }
  if (Buffer.from(formatStatement(statement)).equals(payload)) return statement;
  throw unreadable(new Error("its payload is not written as Tidegate writes it"));
}

function formatStatement({ schema, customer, serial, manifest }: Statement): string {
  return JSON.stringify({ schema, customer, serial, manifest });
}

function unreadable(error: unknown): Error {
  const problem = error instanceof z.ZodError ? z.prettifyError(error) : causeOf(error);
  const hint = "sign the bundle again with `tidegate sign`";
  return failure("TG5013", { problem: problem.replaceAll("\n", " ") }, hint);
}

/** A key signs once: signing again replaces what it said. */
function countersign(envelope: Envelope, key: KeyObject): Envelope {
  const id = keyId(key);
  const others = envelope.signatures.filter(({ keyId }) => keyId !== id);
  const bytes = signEd25519(key, preAuthenticationEncoding(envelope));
  return { ...envelope, signatures: [...others, { keyId: id, bytes }] };
}

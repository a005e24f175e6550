import { Buffer } from "node:buffer";
import { z } from "zod";

/** DSSE 1.0, the Dead Simple Signing Envelope: https://github.com/secure-systems-lab/dsse. */

/** A byte string has one spelling here: standard alphabet, padded. */
const BASE64 = z.string().regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);

/** More would only be work for whoever checks them. */
const SIGNATURES_MAX = 16;

/** Members that the specification does not know are ignored, as it says; nothing but the payload is vouched for. */
const envelopeSchema = z.object({
  payloadType: z.string(),
  payload: BASE64,
  signatures: z
    .array(z.object({ keyid: z.string().max(128), sig: BASE64 }))
    .min(1)
    .max(SIGNATURES_MAX),
});

export interface Signature {
  /** Says which key to try; nothing follows from it alone. */
  readonly keyId: string;
  readonly bytes: Uint8Array;
}

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Signature[];
}

/** What is signed: the type and the payload, each with its length, so that neither can be taken for the other. */
export function preAuthenticationEncoding({
  payloadType,
  payload,
}: Pick<Envelope, "payloadType" | "payload">): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/** Throws a SyntaxError or ZodError for what is no envelope. */
export function parseEnvelope(text: string): Envelope {
  const { payloadType, payload, signatures } = envelopeSchema.parse(JSON.parse(text));
  return {
    payloadType,
    payload: Buffer.from(payload, "base64"),
    signatures: signatures.map(({ keyid, sig }) => ({ keyId: keyid, bytes: Buffer.from(sig, "base64") })),
  };
}

export function formatEnvelope({ payloadType, payload, signatures }: Envelope): string {
  const value = {
    payloadType,
    payload: payload.toString("base64"),
    signatures: signatures.map(({ keyId, bytes }) => ({
      keyid: keyId,
      sig: Buffer.from(bytes).toString("base64"),
    })),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

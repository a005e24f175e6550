import { z } from "zod";
import { manifestSchema } from "../../src/targets/manifest.js";
import { MANIFEST_FILE } from "../state.js";

const { customer, files } = manifestSchema.shape;

/** What a fleet should run of a customer. */
const contentSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("bundle"),
    /** Every file of the bundle, its manifest too, and the blob that holds it. */
    files: files.refine((listed) => Object.hasOwn(listed, MANIFEST_FILE), `${MANIFEST_FILE} is not listed`),
  }),
  /** The customer is to be taken off every node: said out loud, since a head can also be missing by mistake. */
  z.strictObject({ kind: z.literal("removed") }),
]);
export type Content = z.infer<typeof contentSchema>;

export const headSchema = z.strictObject({
  schema: z.literal(1),
  customer,
  /** Counts what was published of the customer, from 1. */
  revision: z.int().positive(),
  /** ISO 8601, UTC. */
  published: z.string(),
  content: contentSchema,
});
export type Files = z.infer<typeof files>;
/** The latest revision of a customer. */
export type Head = z.infer<typeof headSchema>;

/** Larger than any bundle's file; a store may hand out anything, and it is read into memory. */
export const MAX_BLOB_BYTES = 256 * 1024 * 1024;
export const MAX_HEAD_BYTES = 1024 * 1024;

export interface Watch {
  close(): void;
}

/**
 * Where the desired state of a fleet comes from: blobs by their SHA-256, which never change, and a head for each customer, which
 * is replaced as a whole. All methods reject with a RuntimeFailure TG91xx.
 * test/support/store-conformance.ts says what each implementation has to do.
 */
export interface Store {
  /** As it was opened: `dir:/var/lib/tidegate`. */
  readonly name: string;
  /** The revision of each customer's head. */
  heads(): Promise<ReadonlyMap<string, number>>;
  /** Undefined: nothing was ever published. TG9102 for a head that is not one. */
  head(customer: string): Promise<Head | undefined>;
  /** The bytes with this SHA-256; undefined if they are not there, or have been damaged. */
  blob(hash: string): Promise<Uint8Array | undefined>;
  /** Keeps bytes, and gives their SHA-256. Lasts once it resolves. */
  putBlob(bytes: Uint8Array): Promise<string>;
  /**
   * Makes `content` the customer's head, with the revision after `after` (0: the first). TG9104 if somebody else's is there
   * already. Lasts once it resolves; readers see the old head or the new one.
   */
  publish(customer: string, content: Content, after: number): Promise<Head>;
  /** Calls back soon after a head changes; may miss some, and call without need. */
  watch(onChange: () => void): Watch;
}

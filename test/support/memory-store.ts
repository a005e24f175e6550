import { createHash } from "node:crypto";
import { failure } from "../../runtime/failures.js";
import type { Head, Store } from "../../runtime/store/store.js";

/** A store that nobody else sees; the conformance suite holds it to the interface. All connections to one are itself. */
export function memoryStore(): Store & { readonly blobs: Map<string, Buffer> } {
  const blobs = new Map<string, Buffer>();
  const heads = new Map<string, Head>();
  const watchers = new Set<() => void>();
  return {
    name: "memory",
    blobs,
    heads: async () =>
      new Map([...heads.values()].sort(byName).map((head) => [head.customer, head.revision])),
    head: async (customer) => heads.get(customer),
    blob: async (hash) => {
      const bytes = blobs.get(hash);
      return bytes && sha256(bytes) === hash ? bytes : undefined;
    },
    putBlob: async (bytes) => {
      const hash = sha256(bytes);
      blobs.set(hash, Buffer.from(bytes));
      return hash;
    },
    publish: async (customer, content, after) => {
      const latest = heads.get(customer)?.revision ?? 0;
      if (latest !== after) throw failure("TG9104", { customer, revision: `${latest}` });
      const published = new Date().toISOString();
      const head: Head = { schema: 1, customer, revision: after + 1, published, content };
      heads.set(customer, head);
      for (const tell of watchers) setImmediate(tell);
      return head;
    },
    watch: (onChange) => {
      watchers.add(onChange);
      return { close: () => void watchers.delete(onChange) };
    },
  };
}

function byName(one: Head, other: Head): number {
  return one.customer < other.customer ? -1 : 1;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

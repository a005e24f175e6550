import { memoryStore } from "../support/memory-store.js";
import { storeConformance } from "../support/store-conformance.js";

// What tests use for a store must be one.
storeConformance("a map", () => {
  const store = memoryStore();
  return {
    open: () => store,
    damage: (hash) => void store.blobs.set(hash, Buffer.from("PRECIOUS")),
    end: () => {},
  };
});

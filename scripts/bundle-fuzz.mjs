// Puts test/fuzz, which no build compiles, into dist/fuzz: a run of hours needs no test runner around it.
import { rolldown } from "rolldown";

const bundle = await rolldown({
  input: { nightly: "test/fuzz/nightly.ts", worker: "test/fuzz/worker.ts" },
  platform: "node",
  external: [/^node:/, /^[@a-z]/],
});
await bundle.write({ dir: "dist/fuzz", format: "esm", cleanDir: true, sourcemap: true, chunkFileNames: "[name]-[hash].js" });
await bundle.close();

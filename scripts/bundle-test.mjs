// Puts programs of the test folder, which no build compiles, into dist: `bundle-test.mjs fuzz nightly worker` makes
// dist/fuzz/nightly.js and dist/fuzz/worker.js of test/fuzz. A run of minutes or hours needs no test runner around it.
import { rolldown } from "rolldown";

const [folder, ...programs] = process.argv.slice(2);
const bundle = await rolldown({
  input: Object.fromEntries(programs.map((name) => [name, `test/${folder}/${name}.ts`])),
  platform: "node",
  external: [/^node:/, /^[@a-z]/],
});
await bundle.write({
  dir: `dist/${folder}`,
  format: "esm",
  cleanDir: true,
  sourcemap: true,
  chunkFileNames: "[name]-[hash].js",
});
await bundle.close();

import { basename } from "node:path";
import { rolldown } from "rolldown";
import { packageRoot } from "../../src/cli/package-root.js";

/** As deep below the package as the sources of the tests, so that what they name beside them is found. */
const FOLDER = "dist/kernel";

/** What vitest.config.ts has each kernel test begin with. */
const SETUP = ["test/support/seed.ts", "test/support/requirements.ts"];

const builtName = (file: string) => `${basename(file, ".ts")}.js`;

/** What is no test of this project is one file more, which Node reads as it is. */
const SHARED = "shared.js";

/**
 * Tests with all that they import of ours, each in one file of plain JavaScript: an emulated machine would take most of a
 * minute to read and translate the sources.
 */
export async function buildTests(files: readonly string[]): Promise<void> {
  const sources = [...SETUP, ...files];
  const tests = `${packageRoot()}/test/`;
  const bundle = await rolldown({
    input: Object.fromEntries(sources.map((file) => [basename(file, ".ts"), file])),
    cwd: packageRoot(),
    platform: "node",
    external: [/^node:/, /^[@a-z]/],
  });
  await bundle.write({
    ...{ dir: `${packageRoot()}/${FOLDER}`, format: "esm", cleanDir: true, sourcemap: true },
    codeSplitting: { groups: [{ name: "shared", test: (id) => !id.startsWith(tests) }] },
    chunkFileNames: "[name].js",
  });
  await bundle.close();
}

/** Where vitest finds tests that were built. */
export function builtTests(files: readonly string[]) {
  return {
    include: files.map((file) => `${FOLDER}/${builtName(file)}`),
    setupFiles: SETUP.map((file) => `${FOLDER}/${builtName(file)}`),
    server: { deps: { external: [new RegExp(`/${FOLDER}/${SHARED}$`)] } },
  };
}

import { join } from "node:path";
import { startVitest } from "vitest/node";
import { packageRoot } from "../../src/cli/package-root.js";
import { PATIENCE } from "../support/patience.js";
import { builtTests } from "./built.js";

/**
 * `run.js FOLDER FILE…`: tests that `buildTests` built, on whatever kernel this is; of them those whose names `TIDEGATE_TESTS` fits,
 * if that is set. FOLDER gets vitest's report.
 */
const [folder = ".", ...files] = process.argv.slice(2);
const limit = 60_000 * PATIENCE;
const pattern = process.env["TIDEGATE_TESTS"];

process.chdir(packageRoot());
const vitest = await startVitest("test", [], {
  ...builtTests(files),
  // Nothing to look for; and one process for all: to start another takes an emulated machine seconds.
  ...{ config: false, watch: false, isolate: false, fileParallelism: false, pool: "threads" },
  ...{ testTimeout: limit, hookTimeout: limit },
  ...(pattern ? { testNamePattern: pattern } : {}),
  reporters: ["verbose", "json"],
  outputFile: { json: join(folder, "report.json") },
});
await vitest.close();

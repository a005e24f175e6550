import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.js";
import { PATIENCE } from "./test/support/patience.js";

/** Each file has namespaces of its own, so two at a time do not meet. On an emulated machine of one core there is one. */
const maxWorkers = Math.min(2, availableParallelism());

const KERNEL_SETUP = ["test/support/seed.ts", "test/support/requirements.ts"];

/** What counts packets while something else happens, or measures: other files beside it would be part of what is counted. */
const ALONE = [
  ...["bench", "scale", "stress", "daemon-recovers", "fast-path-edge", "fast-path-health"],
  ...["path-mtu", "runtime-apart", "runtime-flip", "runtime-health", "runtime-leaves", "runtime-outage"],
  ...["runtime-shares", "runtime-survives", "runtime-tunnels"],
].map((name) => `test/kernel/${name}.test.ts`);

/** Groups of files run one after another, in this order. */
export default defineConfig({
  test: {
    // Texts are compared as they are, also where CI asks for colours (picocolors looks at $CI).
    env: { NO_COLOR: "1" },
    reporters: ["default", new ClosingLine()],
    testTimeout: 60_000 * PATIENCE,
    hookTimeout: 60_000 * PATIENCE,
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          include: ["test/{unit,cases,properties,fuzz}/**/*.test.ts"],
          setupFiles: ["test/support/seed.ts"],
          ...{ maxWorkers, sequence: { groupOrder: 1 } },
        },
      },
      {
        extends: true,
        test: {
          name: "kernel",
          include: ["test/kernel/**/*.test.ts"],
          exclude: ALONE,
          setupFiles: KERNEL_SETUP,
          ...{ maxWorkers, sequence: { groupOrder: 2 } },
        },
      },
      {
        extends: true,
        test: {
          name: "kernel, alone",
          include: ALONE,
          setupFiles: KERNEL_SETUP,
          ...{ maxWorkers: 1, sequence: { groupOrder: 3 } },
        },
      },
    ],
  },
});

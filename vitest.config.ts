import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.js";
import { PATIENCE } from "./test/support/patience.js";

export default defineConfig({
  test: {
    // Texts are compared as they are, also where CI asks for colours (picocolors looks at $CI).
    env: { NO_COLOR: "1" },
    reporters: ["default", new ClosingLine()],
    // Kernel tests share one kernel and two cores; one file after another keeps them from disturbing one another.
    fileParallelism: false,
    testTimeout: 60_000 * PATIENCE,
    hookTimeout: 60_000 * PATIENCE,
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          include: ["test/{unit,cases,properties,fuzz}/**/*.test.ts"],
          setupFiles: ["test/support/seed.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "kernel",
          include: ["test/kernel/**/*.test.ts"],
          setupFiles: ["test/support/seed.ts", "test/support/requirements.ts"],
        },
      },
    ],
  },
});

import type { Reporter, TestModule } from "vitest/node";

/** Prints `N passed, N failed` alone on the last line, which scripts and CI read. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const failed = tests.filter((test) => test.result().state === "failed").length;
    // A file that cannot be loaded, or an error outside any test, is a failure too.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const failures = failed + broken + unhandled.length;
    process.once("exit", (code) => {
      // Whatever else made the run fail, such as a missing tool, counts as one failure.
      process.stdout.write(`${passed} passed, ${failures === 0 && code !== 0 ? 1 : failures} failed\n`);
    });
  }
}

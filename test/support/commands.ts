import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, vi } from "vitest";

/**
 * For a file of tests that call commands: a folder that goes with it, and what the commands of each test print on standard
 * output. What they print on standard error is not shown.
 */
export function commandTests(name: string): { readonly folder: string; readonly printed: string[] } {
  const folder = mkdtempSync(join(tmpdir(), `tidegate-${name}-`));
  const printed: string[] = [];
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    printed.length = 0;
    vi.spyOn(console, "log").mockImplementation((line: string) => printed.push(line));
    vi.spyOn(console, "error").mockImplementation(() => {});
  });
  afterEach(() => vi.restoreAllMocks());
  return { folder, printed };
}

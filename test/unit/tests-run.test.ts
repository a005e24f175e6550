import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const TESTS = join(import.meta.dirname, "..");

/** What is missing makes tests fail (test/support/requirements.ts): one that is left out looks like one that passes. */
test("no test is left out, on whatever machine", () => {
  const left = readdirSync(TESTS, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) =>
      /\b(?:test|describe|it)\.(?:skip|only|todo|runIf)|\.skip\(/.test(
        readFileSync(join(TESTS, file), "utf8"),
      ),
    );
  expect(left).toEqual([]);
});

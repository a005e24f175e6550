import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mutated } from "../mutations/mutation.js";
import { MUTATIONS } from "../mutations/table.js";

/** `npm run mutate` plants them; here it is only seen that none has gone stale. */
const ROOT = join(import.meta.dirname, "../..");

describe.each(MUTATIONS)("$name", (mutation) => {
  test("can be planted", () => {
    const text = readFileSync(join(ROOT, mutation.file), "utf8");
    const changed = mutated(mutation, text);
    expect(changed).toHaveProperty("text");
    expect(changed).not.toEqual({ text });
  });

  test("the tests that ought to find it are there", () => {
    expect(mutation.killers.length).toBeGreaterThan(0);
    expect(mutation.killers.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

test("names are unique", () => {
  const names = MUTATIONS.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("a text that is not there, or there twice, is a problem", () => {
  const [mutation] = MUTATIONS;
  if (!mutation) throw new Error("there are mutations");
  const planted = { ...mutation, file: "a.ts", from: "1", to: "2" };
  expect(mutated(planted, "a = 1")).toEqual({ text: "a = 2" });
  expect(mutated(planted, "a = 3")).toEqual({ problem: "a.ts does not say: 1" });
  expect(mutated(planted, "1 + 1")).toEqual({ problem: "a.ts says 2 times: 1" });
});

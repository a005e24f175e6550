import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mutated } from "../mutations/mutation.js";
import { page, readPage, type Verdict } from "../mutations/report.js";
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

describe("the page", () => {
  const [known, replanted, fresh] = ["known", "replanted", "fresh"].map((name) => {
    return { name, models: "a|b", file: "a.ts", from: "1", to: "2", killers: [] };
  });
  if (!known || !replanted || !fresh) throw new Error("there are three");
  const caught = (mutation: typeof known): Verdict => {
    const by = { file: "test/unit/a.test.ts", test: "a", message: "" };
    return { mutation, seconds: 1, kind: "caught", by };
  };
  const survived: Verdict = { mutation: replanted, seconds: 1, kind: "survived" };
  const before = page([known, replanted], new Map(), [caught(known), caught(replanted)], "2026-01-01");

  test("keeps what was found before of those that are not planted again", () => {
    const after = page([known, replanted, fresh], readPage(before), [survived], "2026-02-02");
    expect(after.match(/^\| (known|replanted|fresh).*/gm)).toEqual([
      "| known | a\\|b | unit/a | 2026-01-01 |",
      "| replanted | a\\|b | **nobody** | 2026-02-02 |",
      "| fresh | a\\|b |  | not yet |",
    ]);
    expect(after).toContain("Caught / planted: 1 / 2; not planted yet: 1.");
  });

  test("of those that are no more it says nothing, and written again it says the same", () => {
    expect(page([known, replanted], readPage(before), [], "2026-02-02")).toBe(before);
    expect(page([known], readPage(before), [], "2026-02-02")).toContain("Caught / planted: 1 / 1.");
  });

  test("that is in force can be read", () => {
    const names = new Set(MUTATIONS.map(({ name }) => name));
    const rows = [...readPage(readFileSync(join(ROOT, "docs/mutations.md"), "utf8"))];
    expect(rows.filter(([name]) => names.has(name)).length).toBeGreaterThan(200);
  });
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../src/cli/exit.js";
import { writeBundle } from "../../src/cli/io/write-bundle.js";
import type { BundleFile } from "../../src/targets/bundle.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-write-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function bundle(...paths: readonly string[]): readonly BundleFile[] {
  const manifest = JSON.stringify({ files: Object.fromEntries(paths.map((path) => [path, "0"])) });
  const files = paths.map((path) => ({ path, bytes: Buffer.from(path) }));
  return [...files, { path: "manifest.json", bytes: Buffer.from(manifest) }];
}

function filesIn(target: string): readonly string[] {
  const entries = readdirSync(target, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

describe("writing a bundle", () => {
  test("makes the folders above it, and lets others read it as usual", () => {
    const target = join(folder, "a/b");
    writeBundle(target, bundle("nft/x.nft"));
    expect(readFileSync(join(target, "nft/x.nft"), "utf8")).toBe("nft/x.nft");
    expect(statSync(target).mode & 0o777).toBe(0o777 & ~process.umask());
  });

  test("replaces an older bundle as a whole", () => {
    const target = join(folder, "out");
    writeBundle(target, bundle("old.nft"));
    writeBundle(target, bundle("new.nft"));
    expect(filesIn(target)).toEqual(["manifest.json", "new.nft"]);
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["files without a manifest", { "notes.txt": "" }],
    ["a manifest of something else", { "manifest.json": '{"name": "a web application"}', "index.html": "" }],
    ["a manifest that is no JSON", { "manifest.json": "not JSON" }],
    ["a manifest that is no object", { "manifest.json": "null" }],
    ["a bundle and a file that it does not list", { "manifest.json": '{"files": {}}', "src/notes.txt": "" }],
  ])("leaves alone what is not a bundle: %s", (_, files) => {
    const target = join(folder, "out");
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(target, name, ".."), { recursive: true });
      writeFileSync(join(target, name), text);
    }
    const before = filesIn(target);
    expect(() => writeBundle(target, bundle("x.nft"))).toThrow(UsageError);
    expect(filesIn(target)).toEqual(before);
  });
});

import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { compile } from "../../src/cli/commands/compile.js";
import { readManifest } from "../support/bundles.js";

/** Needs clang: what `tidegate compile` writes, byte by byte. */
const ACME = join(import.meta.dirname, "../../examples/acme/acme.policy.ts");

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-compile-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

function hashes(bundle: string): Readonly<Record<string, string>> {
  const files = readdirSync(bundle, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(bundle, name)).isFile())
    .sort();
  const hash = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(bundle, name)))
      .digest("hex");
  return Object.fromEntries(files.map((name) => [name, hash(name)]));
}

test("the same policy gives the same bytes, wherever it lies and wherever they go", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const copy = join(folder, "acme.policy.ts");
  copyFileSync(ACME, copy);
  const [one, other] = [join(folder, "one"), join(folder, "deep/er/other")];
  expect(await compile(ACME, { output: one, json: true })).toBe(0);
  expect(await compile(copy, { output: other, json: true })).toBe(0);
  expect(hashes(other)).toEqual(hashes(one));
  expect(JSON.parse(String(log.mock.calls[0]?.[0]))).toEqual({
    rules: 4,
    tableBytes: 0,
    ms: {
      ...{ read: expect.any(Number), compile: expect.any(Number) },
      ...{ proof: expect.any(Number), clang: expect.any(Number) },
    },
  });
});

test("the manifest lists every file of the bundle with its hash", async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  const bundle = join(folder, "listed");
  await compile(ACME, { output: bundle });
  const { "manifest.json": _, ...files } = hashes(bundle);
  expect(readManifest(bundle).files).toEqual(files);
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining(["xdp/acme.bpf.c", "xdp/acme.bpf.o", "nft/acme.nft", "proof/packets.json"]),
  );
});

test("the manifest hashes the modules that the policy is read from", async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  const policy = join(folder, "modular.policy.ts");
  const json = '["10.0.0.0/8"]';
  mkdirSync(join(folder, "lists"));
  writeFileSync(join(folder, "lists/bogons.json"), json);
  const text = readFileSync(ACME, "utf8").replace(
    "10.0.0.0/8 ",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an interpolation of the policy
    "${bogons} ",
  );
  writeFileSync(policy, `import bogons from "./lists/bogons.json";\n${text}`);
  const bundle = join(folder, "modular");
  expect(await compile(policy, { output: bundle })).toBe(0);
  const sha256 = createHash("sha256").update(json).digest("hex");
  expect(readManifest(bundle).source).toMatchObject({
    file: "modular.policy.ts",
    modules: [{ file: "lists/bogons.json", sha256 }],
  });
});

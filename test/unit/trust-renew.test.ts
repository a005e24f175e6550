import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readBundle } from "../../runtime/bundle.js";
import { Paths } from "../../runtime/state.js";
import { Steps } from "../../runtime/steps.js";
import { SIGNATURE_FILE } from "../../runtime/trust/release.js";
import { renewRelease } from "../../runtime/trust/renew.js";
import { Serials } from "../../runtime/trust/serials.js";
import { newKey, signFolder, trusted } from "../support/signed-bundle.js";
import { codeOf, writeTinyBundle } from "../support/tiny-bundle.js";

/** docs/security.md, "Who finds a key": a bundle that is in force is signed again. */

const KEY = newKey();

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidegate-renew-"));
  mkdirSync(paths().bundle("acme", 3), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const paths = () => new Paths(join(root, "state"));
const kept = () => join(paths().bundle("acme", 3), SIGNATURE_FILE);
const serials = () => new Serials(join(root, "memory"));

/** Puts the same bundle, signed with this serial, on the node where it is in force; gives its signature. */
async function renew(serial: number, steps = new Steps(() => {})): Promise<string> {
  const folder = join(root, "acme");
  writeTinyBundle(folder);
  const bundle = await readBundle(signFolder(folder, KEY, serial), { release: trusted(KEY) });
  const record = { customer: "acme", generation: 3, hash: bundle.hash, slot: 0, since: "" };
  await renewRelease(paths(), record, bundle, serials(), steps);
  return readFileSync(join(folder, SIGNATURE_FILE), "utf8");
}

test.each(["", "{", undefined])("the node's copy gets the signature, where it had %j", async (before) => {
  if (before !== undefined) writeFileSync(kept(), before);
  const signature = await renew(7);
  expect(readFileSync(kept(), "utf8")).toBe(signature);
});

test("a newer one replaces an older one, and never the other way round", async () => {
  await renew(7);
  const newer = await renew(9);
  await renew(8);
  expect(readFileSync(kept(), "utf8")).toBe(newer);
});

test("its serial counts", async () => {
  await renew(7);
  const other = { customer: "acme", serial: 6, manifest: "other", signers: [] };
  expect(await codeOf(() => serials().refuseReplay({ hash: "other", release: other }, []))).toBe("TG5018");
});

test("can be undone", async () => {
  const before = await renew(7);
  const steps = new Steps(() => {});
  await renew(9, steps);
  expect(await steps.undo()).toEqual([]);
  expect(readFileSync(kept(), "utf8")).toBe(before);
});

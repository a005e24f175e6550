import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Steps } from "../../runtime/steps.js";
import { Serials } from "../../runtime/trust/serials.js";
import { codeOf } from "../support/tiny-bundle.js";

/** docs/security.md, "Yesterday's bundle". */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-serials-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function bundle(serial: number, hash = `hash-${serial}`, customer = "acme") {
  return { hash, release: { customer, serial, manifest: hash, signers: ["release"] } };
}

function inForce(hash: string, customer = "acme") {
  return [{ customer, hash, generation: 1, slot: 0, since: "" }];
}

const remember = (...args: Parameters<typeof bundle>) =>
  new Serials(folder).remember(bundle(...args), new Steps(() => {}));
const refused = (one: Parameters<Serials["refuseReplay"]>[0], loaded = inForce("hash-0")) =>
  codeOf(() => new Serials(folder).refuseReplay(one, loaded));

test("the first bundle of a customer is taken whatever its serial", async () => {
  expect(await refused(bundle(0))).toBe("none");
  await remember(7, "hash-7", "globex");
  expect(await refused(bundle(0))).toBe("none");
});

test("after it only newer ones, or the same", async () => {
  await remember(7);
  expect(await refused(bundle(8))).toBe("none");
  expect(await refused(bundle(7))).toBe("none");
  expect(await refused(bundle(6))).toBe("TG5018");
  expect(await refused(bundle(7, "another"))).toBe("TG5019");
});

test("what is in force may be mended, though it is not the newest", async () => {
  await remember(7);
  expect(await refused(bundle(6), inForce("hash-6"))).toBe("none");
  expect(await refused(bundle(6), inForce("hash-6", "globex"))).toBe("TG5018");
});

test("going back does not make older ones newer", async () => {
  await remember(7);
  await remember(5);
  expect(await refused(bundle(6))).toBe("TG5018");
});

test("what nobody signed has no serial", async () => {
  await remember(7);
  expect(await refused({ hash: "hash", release: null })).toBe("none");
});

test("a change that is undone is forgotten", async () => {
  const first = new Steps(() => {});
  await new Serials(folder).remember(bundle(7), first);
  expect(await first.undo()).toEqual([]);
  expect(readdirSync(join(folder, "serials"))).toEqual([]);
  await remember(7);
  const second = new Steps(() => {});
  await new Serials(folder).remember(bundle(9), second);
  await second.undo();
  expect(await refused(bundle(8))).toBe("none");
  expect(await refused(bundle(6))).toBe("TG5018");
});

test.each(["", "{", '{"serial":-1,"manifest":""}', '{"serial":1e99,"manifest":""}'])(
  "a memory that says %j is no reason to take everything",
  async (text) => {
    await remember(7);
    writeFileSync(join(folder, "serials/acme.json"), text);
    expect(await refused(bundle(8))).toBe("TG9011");
    expect(await refused(bundle(8, "hash-8", "globex"))).toBe("none");
  },
);

test("its folder is made, for root alone, with those above it", async () => {
  const deep = join(folder, "a/b");
  await new Serials(deep).remember(bundle(7), new Steps(() => {}));
  for (const made of ["a", "a/b", "a/b/serials"])
    expect([made, statSync(join(folder, made)).mode & 0o777]).toEqual([made, 0o700]);
});

test("it is written as a whole, for root alone", async () => {
  await remember(7);
  expect(JSON.parse(readFileSync(join(folder, "serials/acme.json"), "utf8"))).toEqual({
    serial: 7,
    manifest: "hash-7",
  });
  expect(readdirSync(join(folder, "serials"))).toEqual(["acme.json"]);
});

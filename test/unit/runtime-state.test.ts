import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSteadily } from "../../runtime/customer/counting.js";
import { readIntents, writeIntent } from "../../runtime/notes.js";
import {
  type CustomerRecord,
  forgetCustomer,
  holdsOf,
  type LoadedCustomer,
  Paths,
  readCustomers,
  recordCustomer,
} from "../../runtime/state.js";
import type { Manifest } from "../../src/targets/manifest.js";
import { MANIFEST, sha256 } from "../support/tiny-bundle.js";

let paths: Paths;

beforeEach(() => {
  paths = new Paths(mkdtempSync(join(tmpdir(), "tidegate-state-")));
});
afterEach(() => rmSync(paths.stateDir, { recursive: true, force: true }));

function manifestOf(customer: string, prefix: string): Manifest {
  return { ...MANIFEST, customer, prefixes: [prefix] };
}

function record(manifest: Manifest, generation = 1): CustomerRecord {
  const { customer } = manifest;
  const hash = sha256(JSON.stringify(manifest));
  return { customer, generation, hash, slot: 0, since: "2026-01-01", holds: holdsOf(manifest) };
}

async function store(customer: string, generation: number, prefix: string): Promise<void> {
  mkdirSync(paths.bundle(customer, generation), { recursive: true });
  const manifest = manifestOf(customer, prefix);
  writeFileSync(join(paths.bundle(customer, generation), "manifest.json"), JSON.stringify(manifest));
  await recordCustomer(paths, record(manifest, generation));
}

/** `customer generation prefix` of each. */
async function loaded(): Promise<readonly string[]> {
  const all = await readCustomers(paths);
  return all.map(({ customer, generation, manifest }) => `${customer} ${generation} ${manifest.prefixes}`);
}

describe("customers that were read before", () => {
  beforeEach(async () => {
    await store("acme", 1, "203.0.113.0/24");
    await store("globex", 1, "198.51.100.0/24");
    await readCustomers(paths);
  });

  test("are the same, and not read again", async () => {
    const before = await readCustomers(paths);
    const after = await readCustomers(paths);
    expect(after).toHaveLength(2);
    for (const [index, customer] of after.entries()) expect(customer).toBe(before[index]);
  });

  test("are read again when their generation changes, and others are not", async () => {
    const [, globex] = await readCustomers(paths);
    await store("acme", 2, "203.0.113.128/25");
    expect(await loaded()).toEqual(["acme 2 203.0.113.128/25", "globex 1 198.51.100.0/24"]);
    expect((await readCustomers(paths))[1]).toBe(globex);
  });

  test("are read again when only what they counted changes", async () => {
    const counted = { maps: [7], mitigate: {}, firewall: {} };
    await recordCustomer(paths, { ...record(manifestOf("acme", "203.0.113.0/24")), counted });
    expect((await readCustomers(paths))[0]?.counted).toEqual(counted);
  });

  test("are not there any more when they were forgotten, nor what was read of them", async () => {
    await forgetCustomer(paths, "acme");
    expect(await loaded()).toEqual(["globex 1 198.51.100.0/24"]);
    await store("acme", 1, "192.0.2.0/24");
    expect(await loaded()).toEqual(["acme 1 192.0.2.0/24", "globex 1 198.51.100.0/24"]);
  });

  test("are what they were where a copy of a record was damaged in its place", async () => {
    const { file } = paths.record("acme");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.slice(1));
    expect(await loaded()).toEqual(["acme 1 203.0.113.0/24", "globex 1 198.51.100.0/24"]);
    writeFileSync(file, text);
    expect(await loaded()).toEqual(["acme 1 203.0.113.0/24", "globex 1 198.51.100.0/24"]);
  });
});

test("a customer whose manifest is damaged holds what it held, and is read again", async () => {
  await store("acme", 1, "203.0.113.0/24");
  const file = join(paths.bundle("acme", 1), "manifest.json");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.slice(1));
  expect(await loaded()).toEqual(["acme 1 203.0.113.0/24"]);
  expect((await readCustomers(paths))[0]?.manifest.files).toEqual({});
  writeFileSync(file, text);
  expect((await readCustomers(paths))[0]?.manifest.files).toEqual(MANIFEST.files);
});

test("a change that is under way is that of its customer", async () => {
  await store("acme", 1, "203.0.113.0/24");
  await store("globex", 1, "198.51.100.0/24");
  const intent = { customer: "globex", generation: 2, slot: 0, removal: false };
  await writeIntent(paths, intent);
  expect(await readIntents(paths, "acme")).toEqual([]);
  expect(await readIntents(paths, "globex")).toEqual([intent]);
  expect(await readIntents(paths)).toEqual([intent]);
});

describe("what is read of a customer while a change of it ends", () => {
  const COUNTED = { maps: [7], mitigate: {}, firewall: {} };
  const manifest = manifestOf("acme", "203.0.113.0/24");
  let acme: LoadedCustomer;

  beforeEach(async () => {
    await store("acme", 1, "203.0.113.0/24");
    acme = (await readCustomers(paths))[0] as LoadedCustomer;
  });

  /** Reads the customer, and gives all that was seen; the change ends while it is read for the first time. */
  async function reading(end: () => Promise<void>, failing = false): Promise<readonly LoadedCustomer[]> {
    const seen: LoadedCustomer[] = [];
    await readSteadily(paths, acme, async (loaded) => {
      seen.push(loaded);
      if (seen.length > 1) return;
      await end();
      if (failing) throw new Error("the map is gone");
    });
    return seen;
  }

  const endChange = () => recordCustomer(paths, { ...record(manifest), counted: COUNTED });

  test.each([false, true])("is read again; the first reading failed: %s", async (failing) => {
    const [first, second, ...others] = await reading(endChange, failing);
    expect([first?.counted, second?.counted, others]).toEqual([undefined, COUNTED, []]);
  });

  test("is read once where nothing changed, or nothing but the file", async () => {
    expect(await reading(async () => {})).toHaveLength(1);
    expect(await reading(() => recordCustomer(paths, record(manifest)))).toHaveLength(1);
  });

  test("fails where the reading fails and nothing changed, or all of it is gone", async () => {
    await expect(reading(async () => {}, true)).rejects.toThrow("the map is gone");
    await expect(reading(() => forgetCustomer(paths, "acme"), true)).rejects.toThrow("the map is gone");
  });
});

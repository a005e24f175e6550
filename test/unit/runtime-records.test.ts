import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { forgetUnwritten, isKnown, knownNames, readIntents, writeIntent } from "../../runtime/notes.js";
import { isWhole, type Place, readRecord, removeRecord, writeRecord } from "../../runtime/records.js";
import { forgetCustomer, holdsOf, Paths, readCustomers, recordCustomer } from "../../runtime/state.js";
import { codeOf, MANIFEST, sha256, spelled, writeIn } from "../support/tiny-bundle.js";

const SCHEMA = z.strictObject({ name: z.string(), number: z.int() });
const VALUE = { name: "acme", number: 7 };

let folder: string;
let place: Place;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-records-"));
  place = { file: join(folder, "node.json"), twin: join(folder, "twins/node.json") };
  await writeRecord(place, VALUE);
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = () => readRecord(place, SCHEMA);
const whole = () => isWhole(place, SCHEMA);

/** What can become of a file. */
const DAMAGE: readonly (readonly [string, (file: string) => void])[] = [
  ["missing", (file) => rmSync(file)],
  ["empty", (file) => writeFileSync(file, "")],
  ["cut in half", (file) => writeFileSync(file, readFileSync(file, "utf8").slice(0, 30))],
  ["no JSON", (file) => writeFileSync(file, "\0\0\0\0")],
  ["other JSON", (file) => writeFileSync(file, "[1]")],
  ["without a seal", (file) => writeFileSync(file, JSON.stringify(VALUE))],
  ["edited", (file) => writeFileSync(file, readFileSync(file, "utf8").replace("7", "8"))],
  [
    "a folder",
    (file) => {
      rmSync(file);
      mkdirSync(join(file, "below"), { recursive: true });
    },
  ],
];

describe("a record", () => {
  test("is written twice, and read as it was written", async () => {
    expect(await read()).toEqual(VALUE);
    expect(readFileSync(place.twin, "utf8")).toBe(readFileSync(place.file, "utf8"));
    expect(await whole()).toBe(true);
  });

  test.each(DAMAGE)("%s: the twin holds, and writing mends it", async (_name, damage) => {
    damage(place.file);
    expect(await read()).toEqual(VALUE);
    expect(await whole()).toBe(false);
    await writeRecord(place, { ...VALUE, number: 8 });
    expect(await read()).toEqual({ ...VALUE, number: 8 });
    expect(await whole()).toBe(true);
  });

  test.each(DAMAGE)("whose twin is %s: found, and writing mends it", async (_name, damage) => {
    damage(place.twin);
    expect(await read()).toEqual(VALUE);
    expect(await whole()).toBe(false);
    await writeRecord(place, VALUE);
    expect(await whole()).toBe(true);
  });

  test.each(DAMAGE.slice(1))("both %s: TG9011", async (_name, damage) => {
    damage(place.file);
    damage(place.twin);
    expect(await codeOf(read)).toBe("TG9011");
  });

  test("any one byte of which is another is not taken", async () => {
    const bytes = readFileSync(place.file);
    rmSync(place.twin);
    const change = fc.tuple(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(change, async ([at, by]) => {
        const changed = Buffer.from(bytes);
        changed[at] = ((changed[at] ?? 0) + by) % 256;
        writeFileSync(place.file, changed);
        const found = await read().catch(() => undefined);
        // White space between words is none of what it says.
        if (found) expect(JSON.parse(changed.toString())).toEqual(JSON.parse(bytes.toString()));
      }),
    );
  });

  test("is gone with both", async () => {
    mkdirSync(`${place.file}.new`);
    await removeRecord(place);
    expect(await read()).toBeUndefined();
  });
});

describe("a customer", () => {
  const hash = sha256(spelled(MANIFEST));
  const record = { customer: "acme", generation: 2, hash, slot: 0, since: "", holds: holdsOf(MANIFEST) };
  const intent = { customer: "acme", generation: 3, slot: 0, removal: false };
  const paths = () => new Paths(folder);
  const manifest = () => join(paths().bundle("acme", 2), "manifest.json");

  beforeEach(async () => {
    writeIn(dirname(manifest()), "manifest.json", spelled(MANIFEST));
    await recordCustomer(paths(), record);
  });

  test("is read with its manifest", async () => {
    expect(await readCustomers(paths())).toEqual([{ ...record, manifest: MANIFEST }]);
  });

  test.each([
    ["missing", () => rmSync(manifest())],
    ["another one", () => writeFileSync(manifest(), spelled({ ...MANIFEST, compiler: "other" }))],
    ["gone with all of the folder", () => rmSync(paths().customer("acme"), { recursive: true })],
  ])("whose manifest is %s holds what it held", async (_name, damage) => {
    damage();
    const [loaded] = await readCustomers(paths());
    expect(loaded).toMatchObject(record);
    expect(loaded?.manifest).toMatchObject({ ...record.holds, mitigate: [], files: {} });
  });

  test("with another one's records: TG9011", async () => {
    await recordCustomer(paths(), { ...record, customer: "globex" });
    for (const { file, twin } of [paths().record("acme")])
      for (const copy of [file, twin]) writeFileSync(copy, readFileSync(paths().record("globex").file));
    expect(await codeOf(() => readCustomers(paths()))).toBe("TG9011");
  });

  test("is forgotten with all that was noted of it", async () => {
    await writeIntent(paths(), intent);
    expect(await readIntents(paths())).toEqual([intent]);
    await forgetCustomer(paths(), "acme");
    expect([await readCustomers(paths()), await readIntents(paths())]).toEqual([[], []]);
  });

  test("of whom a note was only begun is forgotten, and no other", async () => {
    await writeIntent(paths(), intent);
    writeIn(paths().notes(), "globex.json.new", "{");
    expect(await knownNames(paths())).toEqual(["acme", "globex"]);
    await forgetUnwritten(paths());
    expect(await knownNames(paths())).toEqual(["acme"]);
    expect(readdirSync(paths().notes())).toEqual(["acme.json"]);
    expect(await readIntents(paths())).toEqual([intent]);
  });

  test("of whom only the second copies are left is known", async () => {
    rmSync(paths().customers(), { recursive: true });
    writeFileSync(paths().customers(), "no folder");
    expect(await readCustomers(paths())).toMatchObject([record]);
    expect(await isKnown(paths(), "acme")).toBe(true);
  });
});

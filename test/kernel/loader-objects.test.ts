import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERRNO } from "../../runtime/loader-client.js";
import { failure, type LoaderLab, startLoaderLab } from "../support/loader-lab.js";
import { u32 } from "../support/words.js";

let lab: LoaderLab;
let bpffs: LoaderLab["bpffs"];
let folder: LoaderLab["folder"];
let loader: LoaderLab["loader"];
let pins: LoaderLab["pins"];

beforeAll(async () => {
  lab = await startLoaderLab();
  ({ bpffs, folder, loader, pins } = lab);
});

afterAll(() => lab?.end());

describe("loadObject", () => {
  test("pins every program and map", () => {
    expect(readdirSync(pins).sort()).toEqual([
      "map_hash",
      "map_inner",
      "map_maps",
      "map_object_rodata",
      "map_prefixes",
      "map_programs",
      "map_sums",
      "prog_classify",
      "prog_first",
      "prog_second",
    ]);
  });

  test("uses a pinned map in place of the object's own", async () => {
    const pinDir = join(bpffs, "reusing");
    const object = join(folder, "object.o");
    await loader.loadObject({ object, pinDir, reuse: { hash: `${pins}/map_hash` } });
    expect(existsSync(`${pinDir}/map_hash`)).toBe(false);
    expect(existsSync(`${pinDir}/map_sums`)).toBe(true);
    const shown = execFileSync("bpftool", ["-j", "prog", "show", "pinned", `${pinDir}/prog_first`]);
    const { id } = await loader.pinnedId(`${pins}/map_hash`);
    expect(JSON.parse(shown.toString()).map_ids).toContain(id);
  });

  test.each([
    ["a map of another shape", { hash: "map_sums" }, /not the shape of the object's map hash/],
    ["a program in place of a map", { hash: "prog_first" }, /is a program, not a map/],
    ["a map that the object has not", { hsh: "map_hash" }, /no map hsh/],
    ["a pin that is not there", { hash: "map_gone" }, /map_gone: No such file/],
  ])("refuses to reuse %s, and pins nothing", async (_, reuse, message) => {
    const pinDir = join(bpffs, "refused");
    const paths = Object.fromEntries(Object.entries(reuse).map(([map, pin]) => [map, `${pins}/${pin}`]));
    const error = await failure(
      loader.loadObject({ object: join(folder, "object.o"), pinDir, reuse: paths }),
    );
    expect(error.message).toMatch(message);
    expect(existsSync(pinDir)).toBe(false);
  });

  test("answers with the verifier's log, and pins nothing", async () => {
    const pinDir = join(bpffs, "unsafe");
    const error = await failure(loader.loadObject({ object: join(folder, "unsafe.o"), pinDir, reuse: {} }));
    expect(error.message).toMatch(/invalid access to packet/);
    expect(error.errno).toBe(13);
    expect(existsSync(pinDir)).toBe(false);
  });

  test("removes its own pins, and only those, when one is taken", async () => {
    const pinDir = join(bpffs, "taken");
    await loader.loadObject({ object: join(folder, "object.o"), pinDir, reuse: {} });
    for (const pin of readdirSync(pinDir).filter((name) => name !== "prog_second")) rmSync(join(pinDir, pin));
    const error = await failure(loader.loadObject({ object: join(folder, "object.o"), pinDir, reuse: {} }));
    expect(error.errno).toBe(ERRNO.EEXIST);
    expect(readdirSync(pinDir)).toEqual(["prog_second"]);
  });

  test("loads bytes that were read before, and pins the same", async () => {
    const pinDir = join(bpffs, "bytes");
    const elf = readFileSync(join(folder, "object.o"));
    await loader.loadObject({ object: { name: "object", elf }, pinDir, reuse: { hash: `${pins}/map_hash` } });
    expect(readdirSync(pinDir).sort()).toEqual(
      readdirSync(pins)
        .filter((name) => name !== "map_hash")
        .sort(),
    );
  });

  test.each([0, 4, 64, 1000])(
    "refuses an object cut short after %i bytes, and pins nothing",
    async (size) => {
      const pinDir = join(bpffs, "cut");
      const elf = readFileSync(join(folder, "object.o")).subarray(0, size);
      const error = await failure(loader.loadObject({ object: { name: "cut", elf }, pinDir, reuse: {} }));
      expect(error.message).toMatch(/^cannot read the BPF object cut/);
      expect(existsSync(pinDir)).toBe(false);
    },
  );

  test("names a file that is no object", async () => {
    writeFileSync(join(folder, "text.o"), "no ELF");
    const request = { object: join(folder, "text.o"), pinDir: join(bpffs, "text"), reuse: {} };
    expect((await failure(loader.loadObject(request))).message).toMatch(
      /cannot read the BPF object .*text\.o/,
    );
  });
});

describe("maps", () => {
  test("are filled, emptied and dumped", async () => {
    const pin = `${pins}/map_hash`;
    const entries = Array.from({ length: 700 }, (_, i) => ({ key: u32(i), value: u32(i * 3, 1) }));
    await loader.updateMap(pin, entries);
    const removed = entries.slice(2).map(({ key }) => key);
    await loader.deleteFromMap(pin, removed);
    const left = await loader.dumpMap(pin);
    expect(left.map(({ key, values }) => [key.toString("hex"), values.map(String)]).sort()).toEqual(
      entries.slice(0, 2).map(({ key, value }) => [key.toString("hex"), [String(value)]]),
    );
  });

  test("delete what is there even if some keys are not, and say so", async () => {
    const pin = `${pins}/map_hash`;
    await loader.updateMap(pin, [{ key: u32(5000), value: u32(1, 1) }]);
    const error = await failure(loader.deleteFromMap(pin, [u32(4999), u32(5000)]));
    expect(error.errno).toBe(ERRNO.ENOENT);
    expect((await loader.dumpMap(pin)).some(({ key }) => key.readUInt32LE() === 5000)).toBe(false);
  });

  test("tell the values of keys, in their order, and which are not there", async () => {
    const pin = `${pins}/map_hash`;
    await loader.updateMap(pin, [
      { key: u32(8001), value: u32(1, 0) },
      { key: u32(8002), value: u32(2, 7) },
    ]);
    const found = await loader.lookupMap(pin, [u32(8002), u32(8000), u32(8001)]);
    expect(found).toEqual([[u32(2, 7)], undefined, [u32(1, 0)]]);
    expect(await loader.lookupMap(pin, [])).toEqual([]);
  });

  test("refuse questions with keys of the wrong size, and for more than an answer holds", async () => {
    const pin = `${pins}/map_hash`;
    expect((await failure(loader.lookupMap(pin, [u32(1, 2)]))).message).toMatch(
      /8 bytes are not 1 keys of 4/,
    );
    const error = await failure(loader.lookupMap(pin, Array(2_000_000).fill(u32(1))));
    expect(error.message).toMatch(/2000000 values of 8 bytes are too many/);
  });

  test("of prefixes take batches", async () => {
    const entries = [24, 16].map((length) => ({
      key: Buffer.concat([u32(length), Buffer.from([203, 0, 0, 0])]),
      value: Buffer.from([1]),
    }));
    await loader.updateMap(`${pins}/map_prefixes`, entries);
    const lengths = (await loader.dumpMap(`${pins}/map_prefixes`)).map(({ key }) => key.readUInt32LE());
    expect(lengths.sort()).toEqual([16, 24]);
  });

  test("per CPU give one value for each possible CPU", async () => {
    const possible = execFileSync("sh", ["-c", "cat /sys/devices/system/cpu/possible"], { encoding: "utf8" });
    const cpus = Number(possible.trim().split("-").at(-1)) + 1;
    const entries = await loader.dumpMap(`${pins}/map_sums`);
    expect(entries.map(({ values }) => values.map((value) => value.length))).toEqual(
      Array(2).fill(Array(cpus).fill(4)),
    );
    const found = await loader.lookupMap(`${pins}/map_sums`, [u32(1), u32(2)]);
    expect(found).toEqual([Array(cpus).fill(u32(0)), undefined]);
  });

  test.each([
    [
      "keys of the wrong size",
      "map_hash",
      { key: u32(1, 2), value: u32(1, 1) },
      /8 bytes are not 1 keys of 4 bytes/,
    ],
    ["values of the wrong size", "map_hash", { key: u32(1), value: u32(1) }, /4 bytes are not 1 values of 8/],
    ["per-CPU maps", "map_sums", { key: u32(1), value: u32(1) }, /cannot be filled with bytes/],
    ["program arrays", "map_programs", { key: u32(1), value: u32(1) }, /cannot be filled with bytes/],
    ["programs", "prog_first", { key: u32(1), value: u32(1) }, /is a program, not a map/],
  ])("refuse updates of %s", async (_, pin, entry, message) => {
    expect((await failure(loader.updateMap(`${pins}/${pin}`, [entry]))).message).toMatch(message);
  });

  test("that overflow name the entry", async () => {
    const entries = Array.from({ length: 101 }, (_, i) => ({
      key: Buffer.concat([u32(32), Buffer.from([10, 0, 0, i])]),
      value: Buffer.from([1]),
    }));
    const error = await failure(loader.updateMap(`${pins}/map_prefixes`, entries));
    expect(error.message).toMatch(/entry \d+ of 101 cannot be written: No space left/);
  });
});

describe("program arrays", () => {
  test("take a program, show its id, and are cleared", async () => {
    const array = `${pins}/map_programs`;
    const { id } = await loader.pinnedId(`${pins}/prog_second`);
    await loader.setProgram(array, 3, `${pins}/prog_second`);
    expect((await loader.dumpMap(array)).map(({ key, values }) => [key, ...values])).toEqual([
      [u32(3), u32(id)],
    ]);
    expect(await loader.lookupMap(array, [u32(2), u32(3)])).toEqual([undefined, [u32(id)]]);
    await loader.clearProgram(array, 3);
    expect(await loader.dumpMap(array)).toEqual([]);
    expect((await failure(loader.clearProgram(array, 3))).errno).toBe(ERRNO.ENOENT);
  });

  test("refuse a slot that they have not", async () => {
    expect((await failure(loader.setProgram(`${pins}/map_programs`, 8, `${pins}/prog_second`))).errno).toBe(
      7,
    );
  });

  test("are told from other maps", async () => {
    const error = await failure(loader.setProgram(`${pins}/map_hash`, 0, `${pins}/prog_second`));
    expect(error.message).toMatch(/not a program array/);
  });
});

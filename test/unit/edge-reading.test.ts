import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeRecord } from "../../runtime/records.js";
import { Paths } from "../../runtime/state.js";
import { loadEdge } from "../../src/cli/edge/load-edge.js";
import { readEdge } from "../../src/cli/edge/read-edge.js";
import { type EdgeReading, isCurrent } from "../../src/cli/edge/reading.js";

const EDGE = `import { edge } from "tidegate";
import owners from "./owners.json";
import { uplinks } from "./site/uplinks.js";
export default edge({ uplinks, anycast: ["192.0.2.1"], owners });
`;

let folder = "";
let file = "";

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function read(): EdgeReading {
  const reading = readEdge(file);
  if (!reading) throw new Error("the edge has errors");
  return reading;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-reading-"));
  file = join(folder, "edge.ts");
  mkdirSync(join(folder, "site"));
  write("edge.ts", EDGE);
  write("owners.json", '{ "acme": ["203.0.113.0/24"] }');
  write("site/uplinks.ts", 'import name from "./name.json";\nexport const uplinks = [name];\n');
  write("site/name.json", '"eth0"');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe("a reading of an edge.ts", () => {
  test("says what the file and its modules say", () => {
    const { config, imports } = read();
    expect(config).toMatchObject({ uplinks: ["eth0"], owners: { acme: ["203.0.113.0/24"] } });
    expect(imports.map(({ specifier }) => specifier).sort()).toEqual([
      "./name.json",
      "./owners.json",
      "./site/uplinks.js",
    ]);
  });

  test("is current as long as nothing has changed", () => {
    expect(isCurrent(read(), file)).toBe(true);
  });

  test.each([
    ["the file", () => write("edge.ts", `${EDGE}\n`)],
    ["a list that it imports", () => write("owners.json", '{ "acme": ["203.0.113.0/25"] }')],
    ["what a module of it imports", () => write("site/name.json", '"eth1"')],
    ["a module that is gone", () => rmSync(join(folder, "owners.json"))],
    [
      "a module that leads out of the project now",
      () => {
        const outside = mkdtempSync(join(tmpdir(), "tidegate-outside-"));
        writeFileSync(join(outside, "owners.json"), readFileSync(join(folder, "owners.json")));
        rmSync(join(folder, "owners.json"));
        symlinkSync(join(outside, "owners.json"), join(folder, "owners.json"));
      },
    ],
  ])("is not, after a change of %s", (_, change) => {
    const reading = read();
    change();
    expect(isCurrent(reading, file)).toBe(false);
  });

  test("is not for another file, or another compiler", () => {
    const reading = read();
    write("other.ts", EDGE);
    expect(isCurrent(reading, join(folder, "other.ts"))).toBe(false);
    expect(isCurrent({ ...reading, build: "0".repeat(64) }, file)).toBe(false);
  });
});

describe("the reading that is kept", () => {
  const state = () => join(folder, "state");
  /** One that differs from what the file says: who gets it has not read the file. */
  const kept = () => ({ ...read(), config: { ...read().config, uplinks: ["kept"] } });
  const uplinks = async () => (await loadEdge(file, state()))?.node.uplinks;

  beforeEach(() => mkdirSync(state(), { mode: 0o700 }));

  test("is the one that was read", async () => {
    await (await loadEdge(file, state()))?.keep();
    expect(JSON.parse(readFileSync(new Paths(state()).edge().file, "utf8"))).toMatchObject(read());
  });

  test("is taken instead of reading the file", async () => {
    await writeRecord(new Paths(state()).edge(), kept());
    expect(await uplinks()).toEqual(["kept"]);
  });

  test("is not taken after a change", async () => {
    await writeRecord(new Paths(state()).edge(), kept());
    write("site/name.json", '"eth1"');
    expect(await uplinks()).toEqual(["eth1"]);
  });

  test("is not taken where it is damaged", async () => {
    const { file: one, twin } = new Paths(state()).edge();
    await writeRecord({ file: one, twin }, kept());
    for (const copy of [one, twin]) writeFileSync(copy, readFileSync(copy, "utf8").replace("kept", "lost"));
    expect(await uplinks()).toEqual(["eth0"]);
  });

  test("is not taken where others could have written it", async () => {
    await writeRecord(new Paths(state()).edge(), kept());
    chmodSync(state(), 0o777);
    expect(await uplinks()).toEqual(["eth0"]);
  });

  test("is none where the file has errors", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    write("edge.ts", "export default 1;\n");
    expect(await loadEdge(file, state())).toBeUndefined();
  });

  test("matters to nobody where it cannot be kept", async () => {
    const loaded = await loadEdge(file, join(folder, "owners.json", "state"));
    await loaded?.keep();
    expect(loaded?.node.uplinks).toEqual(["eth0"]);
  });
});

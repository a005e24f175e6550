import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { betweenWays } from "../../runtime/customer/live-ways.js";
import { wordsOf } from "../../runtime/failures.js";
import type { Host } from "../../runtime/host.js";
import type { Loader } from "../../runtime/loader-client.js";
import { type LoadedCustomer, Paths } from "../../runtime/state.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { acme } from "../support/acme-edge.js";
import { tunnel } from "../support/ir.js";
import { MANIFEST } from "../support/tiny-bundle.js";

/** When XDP is told of routers that die and come back, and when the routes turn. */

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-ways-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const ROWS = tunnels(
  acme({ tunnels: ["chicago", "dallas"].map((name, at) => tunnel(name, `198.51.100.${at + 1}`)) }),
);
const [CHICAGO, DALLAS] = ROWS;

/** Of both tunnels; where they lead to is no matter here. */
function rowsWith(chicago: number, dallas: number) {
  return [chicago, dallas].map((mtu, place) => {
    const value = Buffer.alloc(16, 1);
    value.writeUInt16LE(mtu, 12);
    return { key: Buffer.of(place, 0, 0, 0), values: [value] };
  });
}

/** What happens, in its order, where Chicago dies as Dallas comes back. */
async function turned(
  sentWhileLive: string[] | undefined,
  turnRoutes: () => Promise<void>,
  tunnelsOf: () => ReturnType<Loader["dumpMap"]> = async () => rowsWith(1476, 0),
): Promise<readonly string[]> {
  const happened: string[] = [];
  const loader: Pick<Loader, "dumpMap" | "updateMap" | "pinAgain"> = {
    dumpMap: tunnelsOf,
    pinAgain: async () => {},
    updateMap: async (_, entries) => {
      for (const { key, value } of entries) {
        const name = ROWS[key[0] ?? ROWS.length]?.name;
        happened.push(`${name} takes ${Buffer.from(value).readUInt16LE(12)} bytes`);
      }
    },
  };
  const host = { paths: new Paths(folder), loader } as unknown as Host;
  const manifest = { ...MANIFEST, tunnels: [...ROWS], ...(sentWhileLive && { sentWhileLive }) };
  const pins = host.paths.pins("acme", 3);
  mkdirSync(pins, { recursive: true });
  writeFileSync(join(pins, "map_tunnels"), "");
  const loaded = { customer: "acme", generation: 3, manifest } as unknown as LoadedCustomer;
  const turning = betweenWays(host, loaded, new Set([CHICAGO?.device ?? ""]), async () => {
    happened.push("routes");
    await turnRoutes();
    return "turned";
  });
  await turning.then(
    // What the turn gave, whatever XDP was told.
    ({ turned, deaf }) => happened.push(...(deaf ? [`${turned}, but ${wordsOf(deaf)}`] : [])),
    (error: Error) => happened.push(error.message),
  );
  return happened;
}

test("what is dead is closed before the routes turn, and what lives is opened behind", async () => {
  const expected = ["chicago takes 0 bytes", "routes", `dallas takes ${DALLAS?.mtu} bytes`];
  expect(await turned(["chicago", "dallas"], async () => {})).toEqual(expected);
});

test("where the routes cannot turn, nothing is opened", async () => {
  const failing = () => Promise.reject(new Error("there is no table"));
  expect(await turned(["chicago", "dallas"], failing)).toEqual([
    "chicago takes 0 bytes",
    "routes",
    "there is no table",
  ]);
});

const DEAF = "turned, but TG9025 XDP cannot be told which routers of `acme` are dead: ";

test("where nothing can be closed the routes turn all the same, nothing is opened, and it is said", async () => {
  const failing = () => Promise.reject(new Error("no such map"));
  expect(await turned(["chicago", "dallas"], async () => {}, failing)).toEqual([
    "routes",
    `${DEAF}no such map`,
  ]);
});

test("rows of another map are said to be such", async () => {
  const other = async () => [{ key: Buffer.alloc(4), values: [Buffer.alloc(4)] }];
  const [routes, words, ...more] = await turned(["chicago", "dallas"], async () => {}, other);
  expect([routes, more]).toEqual(["routes", []]);
  expect(words).toMatch(
    /^turned, but TG9025 .* are dead: \S+map_tunnels is another map: its rows have 4 bytes$/,
  );
});

test("where nothing can be opened it is said, too", async () => {
  let asked = 0;
  const once = async () => {
    if (asked++ > 0) throw new Error("no such map");
    return rowsWith(1476, 0);
  };
  expect(await turned(["chicago", "dallas"], async () => {}, once)).toEqual([
    "chicago takes 0 bytes",
    "routes",
    `${DEAF}no such map`,
  ]);
});

test("of tunnels that the program sends nothing into nothing is touched", async () => {
  expect(await turned(["dallas"], async () => {})).toEqual(["routes", `dallas takes ${DALLAS?.mtu} bytes`]);
  expect(await turned(["chicago"], async () => {})).toEqual(["chicago takes 0 bytes", "routes"]);
  expect(await turned([], async () => {})).toEqual(["routes"]);
});

test("of a program that sends into no tunnel whose router is asked nothing is touched", async () => {
  expect(await turned(undefined, async () => {})).toEqual(["routes"]);
});

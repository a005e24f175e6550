import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FAST_TUNNELS, holdsTunnels, turnTunnels, whyClosed } from "../../runtime/customer/fast-path.js";
import { type DumpedEntry, ERRNO, LoaderError, type MapEntry } from "../../runtime/loader-client.js";
import type { Manifest } from "../../src/targets/manifest.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { acme, CHICAGO } from "../support/acme-edge.js";

describe("whether a program sends by the tunnels of a policy", () => {
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-fast-path-"));
    writeFileSync(join(folder, "map_tunnels"), "");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const ANYCAST = "198.18.0.1";
  const [gre] = tunnels(acme({ tunnels: [{ ...CHICAGO, kind: "gre" }] }));
  if (!gre) throw new Error("a policy with a tunnel has its row");
  const FAST = { ...gre, remote: "198.51.100.1", key: null, mtu: 1476, ttl: 64 } as const;
  const SLOW = { ...FAST, ttl: "inherit" } as const;

  /** The rows of the map, by their places. */
  const map = (rows: Readonly<Record<number, string>>): readonly DumpedEntry[] =>
    Array.from({ length: FAST_TUNNELS }, (_, place) => ({
      key: Buffer.from([place, 0, 0, 0]),
      values: [Buffer.from(rows[place] ?? "00".repeat(16), "hex")],
    }));
  const ROW = "c6120001c633640100000000c4054000";
  const CLOSED = "c6120001c63364010000000000004000";
  const OTHER = "c6120002c633640100000000c4054000";

  test.each<[string, Manifest["tunnels"], readonly DumpedEntry[] | null, boolean]>([
    ["its row is there", [FAST], map({ 0: ROW }), true],
    ["its row is at its place", [SLOW, FAST], map({ 1: ROW }), true],
    ["its row is at another place", [SLOW, FAST], map({ 0: ROW }), false],
    ["its row has another anycast address", [FAST], map({ 0: OTHER }), false],
    ["its row is empty", [FAST], map({}), false],
    ["there is a row more", [FAST], map({ 0: ROW, 3: OTHER }), false],
    ["the map has no rows at all", [FAST], [], false],
    ["the map is not pinned", [FAST], null, false],
    ["none is sent into, and the map is empty", [SLOW], map({}), true],
    ["none is sent into, and there is no map", [SLOW], null, true],
  ])("%s", async (_, rows, found, holds) => {
    const loader = { dumpMap: async () => found ?? [] };
    const pins = found ? folder : join(folder, "none");
    const fast = { tunnels: rows, anycast: ANYCAST, closed: new Set<string>() };
    expect(await holdsTunnels(loader, pins, fast)).toBe(holds);
  });

  const ALIVE = { tunnels: [FAST], anycast: ANYCAST, closed: new Set<string>() };

  test.each([
    ["a program, or a queue, is in its place", ERRNO.EINVAL],
    // bpf_map_get_next_key(2) of maps that cannot be walked, and of rings: EOPNOTSUPP, and the kernel's own ENOTSUPP.
    ["a filter is in its place", 95],
    ["a ring is in its place", 524],
  ])("%s: it does not", async (_, errno) => {
    const loader = {
      dumpMap: () => Promise.reject(new LoaderError("map.dump", "cannot walk the map", errno)),
    };
    expect(await holdsTunnels(loader, folder, ALIVE)).toBe(false);
    expect(await holdsTunnels(loader, folder, { ...ALIVE, tunnels: [SLOW] })).toBe(false);
  });

  test.each([
    ["the loader has died", new LoaderError("map.dump", "tidegate-loader ended (SIGKILL)")],
    ["somebody erred", new TypeError("undefined is not a function")],
  ])("%s: nobody can say", async (_, error) => {
    const loader = { dumpMap: () => Promise.reject(error) };
    await expect(holdsTunnels(loader, folder, ALIVE)).rejects.toBe(error);
  });

  test.each([
    ["its row is closed", CLOSED, true],
    ["its row is open", ROW, false],
    ["its row is empty", "00".repeat(16), false],
  ])("that is dead, and %s", async (_, row, holds) => {
    const loader = { dumpMap: async () => map({ 0: row }) };
    const fast = { tunnels: [FAST], anycast: ANYCAST, closed: new Set([FAST.device]) };
    expect(await holdsTunnels(loader, folder, fast)).toBe(holds);
  });

  const DEAD = "its router is dead";
  const OLD = "its bundle is from before tunnels with `health` were on the fast path";
  test.each([
    ["lives", { datapath: "xdp", sentWhileLive: [FAST.name] }, FAST, "live", null],
    ["is not known yet", { datapath: "xdp", sentWhileLive: [FAST.name] }, FAST, "unknown", null],
    ["is dead", { datapath: "xdp", sentWhileLive: [FAST.name] }, FAST, "dead", DEAD],
    ["is dead, without a fast way into it", { datapath: "xdp", sentWhileLive: [] }, FAST, "dead", null],
    ["is dead, and all goes by the namespace", {}, FAST, "dead", null],
    ["lives, by a bundle of before", { datapath: "xdp" }, FAST, "live", OLD],
    ["is dead, by a bundle of before", { datapath: "xdp" }, FAST, "dead", OLD],
    ["is never XDP's, by a bundle of before", { datapath: "xdp" }, SLOW, "dead", null],
    [
      "has the kernel's headers, by a bundle of before",
      { datapath: "xdp" },
      { ...FAST, dscp: 46 },
      "dead",
      null,
    ],
    ["may be cut up, by a bundle of before", { datapath: "xdp" }, { ...FAST, df: "inherit" }, "dead", null],
  ] as const)("why XDP sends nothing into a tunnel that %s", (_, { ...manifest }, row, life, why) => {
    const about = manifest as Pick<Manifest, "datapath" | "sentWhileLive">;
    expect(whyClosed(about, row, life)).toBe(why);
  });

  describe("turned", () => {
    const OTHER_DEVICE = { ...FAST, device: "gre-other", mtu: 1400 } as const;
    const OPEN_OTHER = "c6120001c633640200000000" + "7805" + "4000";
    const CLOSED_OTHER = "c6120001c633640200000000" + "0000" + "4000";

    /** The rows that are written where `chicago` is meant. */
    async function turned(turn: "close" | "open", rows: Readonly<Record<number, string>>, pins = folder) {
      const written: string[] = [];
      const loader = {
        pinAgain: async (program: string, name: string, pin: string) => {
          written.push(`${name} of ${basename(program)} pinned at ${basename(pin)}`);
        },
        dumpMap: async () => map(rows),
        updateMap: async (pin: string, entries: readonly MapEntry[]) => {
          expect(pin).toBe(join(pins, "map_tunnels"));
          for (const { key, value } of entries)
            written.push(`${key[0]} ${Buffer.from(value).toString("hex")}`);
        },
      };
      await turnTunnels(
        loader,
        pins,
        [SLOW, FAST, OTHER_DEVICE],
        turn,
        ({ device }) => device === FAST.device,
      );
      return written;
    }

    test("only the MTU of what is meant changes, whatever else the row says", async () => {
      expect(await turned("close", { 1: ROW, 2: OPEN_OTHER })).toEqual([`1 ${CLOSED}`]);
      expect(await turned("open", { 1: CLOSED, 2: CLOSED_OTHER })).toEqual([`1 ${ROW}`]);
      expect(await turned("close", { 1: OTHER })).toEqual([`1 ${OTHER.replace("c405", "0000")}`]);
    });

    test.each([
      ["is so already", "close", { 1: CLOSED }],
      ["is open already", "open", { 1: ROW }],
      ["has no row", "open", {}],
      ["has no tunnel", "close", { 3: ROW }],
    ] as const)("what %s is left alone", async (_, turn, rows) => {
      expect(await turned(turn, rows)).toEqual([]);
    });

    test("a map without its pin is the program's all the same, and gets it back", async () => {
      expect(await turned("close", { 1: ROW }, join(folder, "none"))).toEqual([
        "tunnels of prog_tidegate_customer pinned at map_tunnels",
        `1 ${CLOSED}`,
      ]);
    });

    test("another map in its place is said, and left alone", async () => {
      await expect(turned("close", { 1: "c6120001" })).rejects.toThrow(
        /map_tunnels is another map: its rows have 4 bytes/,
      );
    });

    test("where nothing is meant the map is not asked for", async () => {
      const loader = {} as Parameters<typeof turnTunnels>[0];
      await expect(turnTunnels(loader, folder, [SLOW], "open", () => false)).resolves.toBe(undefined);
    });
  });
});

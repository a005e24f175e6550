import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FAST_TUNNELS, holdsTunnels } from "../../runtime/customer/fast-path.js";
import type { DumpedEntry } from "../../runtime/loader-client.js";
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
    expect(await holdsTunnels(loader, pins, rows, ANYCAST)).toBe(holds);
  });
});

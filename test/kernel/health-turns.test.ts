import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askedBy, forgetUnasked, type Lives, readLives, writeLives } from "../../runtime/health/lives.js";
import { Turns } from "../../runtime/health/turns.js";
import { Paths, recordCustomer } from "../../runtime/state.js";
import { parseAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { acme, CHICAGO, FTP } from "../support/acme-edge.js";

/** What is found out about routers is written, and followed, customer by customer; here no routes can follow. */

const target = parseAddress(FTP) ?? { family: 4 as const, value: 0n };
const health = { style: "request" as const, target, interval: 1000, timeout: 1000, up: 3, down: 3 };
const rows = tunnels(acme({ tunnels: [{ ...CHICAGO, health }] }));
const CUSTOMERS = ["acme", "globex"];

let stateDir: string;
let paths: Paths;

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "tidegate-turns-"));
  paths = new Paths(stateDir);
  for (const customer of CUSTOMERS) {
    const holds = {
      namespace: `tg-${customer}`,
      link: `tg-${customer}`,
      prefixes: ["203.0.113.0/24"],
      tunnels: [...rows],
    };
    const since = new Date(0).toISOString();
    await recordCustomer(paths, { customer, generation: 1, hash: "0".repeat(64), slot: 0, since, holds });
  }
});

afterEach(() => rmSync(stateDir, { recursive: true }));

test("a bundle that is damaged leaves what routes go by as it was, and delays nobody else's", async () => {
  const said: string[] = [];
  const say = (_level: string, text: string) => void said.push(text);
  const turns = new Turns({ stateDir, say, lifeOf: () => "dead" });
  for (const customer of CUSTOMERS) turns.sync(customer);
  await expect.poll(() => said.length).toBe(2);
  await turns.end();
  for (const [index, customer] of CUSTOMERS.entries()) {
    expect(said[index]).toContain(`${customer}: cannot follow its routers yet: `);
    expect(existsSync(paths.lives(customer))).toBe(false);
  }
});

test("what is known of tunnels that nobody asks about any more is forgotten, and the rest is not", async () => {
  const dallas = { ...CHICAGO, name: "dallas", key: 9 };
  const asked = { ...CHICAGO, health };
  const manifestOf = (...of: readonly Tunnel[]) => {
    return { customer: "acme", tunnels: [...tunnels(acme({ tunnels: of }))] };
  };
  const all = manifestOf(asked, { ...dallas, health });
  const since = new Date(0).toISOString();
  const lives: Lives = Object.fromEntries(
    all.tunnels.map((row) => [row.name, { asked: askedBy(row) ?? "", life: "dead" as const, since }]),
  );
  await writeLives(paths, "acme", lives);
  await forgetUnasked(paths, all);
  expect(await readLives(paths, "acme")).toEqual(lives);
  await forgetUnasked(paths, manifestOf(asked, dallas));
  expect(Object.keys(await readLives(paths, "acme"))).toEqual(["chicago"]);
  await forgetUnasked(paths, manifestOf(CHICAGO));
  expect(existsSync(paths.lives("acme"))).toBe(false);
});

test("what a run that was killed had begun to write, the next one writes over", async () => {
  writeFileSync(`${paths.lives("acme")}.new`, "{ hal");
  await writeLives(paths, "acme", {});
  expect(await readLives(paths, "acme")).toEqual({});
  expect(readdirSync(paths.customer("acme")).filter((name) => name.includes("health"))).toEqual([
    "health.json",
  ]);
});

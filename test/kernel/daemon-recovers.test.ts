import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { AcmeEdge, acme, globex, NODE } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { address, rule } from "../support/ir.js";
import { applyKilled } from "../support/killed-apply.js";

/** A change that was killed in the middle, and a daemon that starts then, with a store that has nothing to say. */

let edge: AcmeEdge;
let root: string;
let daemon: RunningDaemon | undefined;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  root = join(edge.server.folder, "store");
  mkdirSync(root);
  writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  await edge.server.apply(edge.bundle("first", acme()), NODE);
});

afterAll(() => edge?.server.end());

afterEach(async () => {
  await daemon?.end("SIGKILL");
});

async function start(): Promise<RunningDaemon> {
  const args = ["--node", join(edge.server.folder, "edge.ts"), "--store", `dir:${root}`, "--metrics", "off"];
  daemon = RunningDaemon.start(edge.server, args);
  await daemon.says(/<6>following dir:/);
  return daemon;
}

const kill = (bundle: string, step: string) =>
  applyKilled(edge.server, { victim: "runtime", bundle, node: NODE, step });

const customers = async () => (await edge.server.status()).customers;

test("a change of what is in force is ended", async () => {
  const bogons = rule("more-bogons", "drop", address("ip.src", "10.0.0.0/8", "192.168.0.0/16"));
  kill(edge.bundle("second", acme({ mitigate: [bogons] })), "record");
  expect(await customers()).toMatchObject([
    { generation: 1, drift: ["end of the change to generation 2", "firewall", "XDP program"] },
  ]);
  const running = await start();
  await running.says(/<4>acme: a change was cut short before this start, and is ended now$/);
  expect(await customers()).toMatchObject([{ generation: 1, drift: [] }]);
  expect(running.output).not.toMatch(/mended/);
});

test("so is the first change of a customer, of which no record tells", async () => {
  kill(edge.bundle("globex", globex()), "record");
  expect(edge.server.portrait()).toContain("tg-globex");
  const running = await start();
  await running.says(/<4>globex: a change was cut short before this start, and is ended now$/);
  expect(edge.server.portrait()).not.toContain("tg-globex");
  expect(await customers()).toMatchObject([{ name: "acme", drift: [] }]);
});

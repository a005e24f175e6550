import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { publishBundle, publishRemoval } from "../../runtime/store/bundles.js";
import { dirStore } from "../../runtime/store/dir-store.js";
import type { Store } from "../../runtime/store/store.js";
import { AcmeEdge, acme, FTP, globex, NODE, tamper } from "../support/acme-edge.js";
import { RunningDaemon, writeEdge } from "../support/daemon.js";
import { address, rule } from "../support/ir.js";

let edge: AcmeEdge;
let store: Store;
let root: string;
let found: string;
let daemon: RunningDaemon | undefined;
let first: string;
let second: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  found = edge.server.portrait();
  root = join(edge.server.folder, "store");
  mkdirSync(root);
  store = dirStore(root);
  writeEdge(edgeFile(), NODE);
  first = edge.bundle("first", acme());
  const bogons = rule("more-bogons", "drop", address("ip.src", "10.0.0.0/8", "192.168.0.0/16"));
  second = edge.bundle("second", acme({ mitigate: [bogons] }));
});
afterAll(() => edge?.server.end());
afterEach(async () => {
  await daemon?.end("SIGKILL");
  daemon = undefined;
});

const edgeFile = () => join(edge.server.folder, "edge.ts");

function start(...more: readonly string[]): RunningDaemon {
  const args = ["--node", edgeFile(), "--store", `dir:${root}`, "--metrics", "off", ...more];
  daemon = RunningDaemon.start(edge.server, args);
  return daemon;
}

const loaded = async () => (await edge.server.status()).customers;
const publish = async (bundle: string) => (await publishBundle(store, bundle)).revision;

describe("what is published", () => {
  test("is put in force: what was there before the start, and what comes then", async () => {
    await publish(first);
    const running = start();
    await running.says(/<6>following dir:/);
    await running.says(/<6>acme: revision 1 in force as generation 1 \([0-9a-f]{12}, \d+ ms\)$/);
    expect(await loaded()).toMatchObject([{ name: "acme", generation: 1, drift: [] }]);
    await publish(edge.bundle("globex", globex()));
    await running.says(/<6>globex: revision 1 in force as generation 1 /);
    await publish(second);
    await running.says(/<6>acme: revision 2 in force as generation 2 /);
    expect((await loaded())[0].counters.mitigate).toHaveProperty("more-bogons");
    expect(edge.server.run(["ls", "-A", "/run/tidegate/incoming"])).toBe("");
  });

  test("and ends nothing when the daemon does, nor when it starts again", async () => {
    const before = edge.server.portrait() + edge.server.portrait("tg-acme");
    const running = start();
    await running.says(/following/);
    expect(await running.end("SIGTERM")).toBe(0);
    expect(running.output).toMatch(/<6>stopped; what is in force stays in force\n$/);
    expect(edge.server.portrait() + edge.server.portrait("tg-acme")).toBe(before);
    const bogons = async () => (await loaded())[0].counters.mitigate["more-bogons"].packets;
    const counted = await bogons();
    edge.sendUdp("client", "10.1.2.3", FTP);
    expect(await bogons()).toBe(counted + 1);
    const again = start();
    await again.says(/following/);
    await again.end("SIGKILL");
    expect(again.output).not.toMatch(/revision/);
    expect(edge.server.portrait() + edge.server.portrait("tg-acme")).toBe(before);
  });
});

describe("a bad revision", () => {
  test("is refused once, said why, and remembered; the last good one runs on", async () => {
    const [before] = await loaded();
    const stolen = edge.bundle("stolen", { ...globex(), customer: "acme" });
    const running = start("--poll", "0.1");
    await publish(stolen);
    const words = /TG5007 `acme` may not claim 198\.18\.64\.0\/24; revision \d+ stays in force$/;
    expect(await running.says(/<3>acme: revision \d+ refused/)).toMatch(words);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(running.output.match(/refused/g)).toHaveLength(1);
    await running.end();
    const again = start("--poll", "0.1");
    await again.says(/following/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(again.output).not.toMatch(/revision/);
    const [now] = await loaded();
    expect(now).toMatchObject({ generation: before.generation, hash: before.hash, drift: [] });
    const memory = JSON.parse(readFileInside("/run/tidegate/daemon.json"));
    expect(memory.outcomes.acme).toMatchObject({ state: "refused", why: expect.stringMatching(/^TG5007 /) });
  });

  test("is tried again when the node is described differently", async () => {
    const running = start();
    await running.says(/following/);
    writeEdge(edgeFile(), {
      ...NODE,
      owners: { ...NODE.owners, acme: [...(NODE.owners["acme"] ?? []), "198.18.65.0/24"] },
    });
    running.signal("SIGHUP");
    await running.says(/<6>read the description of the node again/);
    await running.says(/<6>acme: in force on the node as it is described now/);
    await running.says(/<3>acme: revision \d+ refused: TG5007/);
    writeFileSync(edgeFile(), "export default 7;\n");
    running.signal("SIGHUP");
    await running.says(/<3>the description of the node stays as it was: .*has errors/);
    writeEdge(edgeFile(), NODE);
    running.signal("SIGHUP");
    await running.says(/<6>globex: in force on the node as it is described now/);
    expect(await loaded()).toMatchObject([{ drift: [] }, { drift: [] }]);
  });

  test("that may pass is tried again, and gives way to the next one", async () => {
    const running = start();
    const twice = "route add blackhole 0.0.0.0/0 table $table\n".repeat(2);
    const bad = tamper(edge.bundle("bad", acme()), "route/acme.ip", twice);
    const revision = await publish(bad);
    await running.says(
      /<4>acme: revision \d+ not in force yet: TG9006 fill the routing table failed.*next try in 1 s; revision \d+ stays/,
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(running.output.match(/not in force yet/g)).toHaveLength(1);
    expect(await publish(first)).toBe(revision + 1);
    await running.says(/<6>acme: revision \d+ in force/);
    expect(await loaded()).toMatchObject([{ drift: [] }, { drift: [] }]);
  });

  test("without one of its blobs is in force as soon as they are there", async () => {
    const running = start();
    await running.says(/following/);
    renameSync(join(root, "blobs"), join(root, "elsewhere"));
    mkdirSync(join(root, "blobs"));
    const { content } = (await store.head("globex")) ?? {};
    if (content?.kind !== "bundle") throw new Error("globex has no bundle");
    await store.publish("globex", content, 1);
    await running.says(/<4>globex: revision 2 not in force yet: TG9103 .* is missing/);
    renameSync(join(root, "elsewhere"), join(root, "blobs"));
    await running.says(/<6>globex: revision 2 is generation \d+ already/);
  });
});

describe("a node that drifts", () => {
  test.each([
    ["firewall", ["nft", "delete table inet tidegate"], "tg-acme", "acme"],
    [
      "route of 198.18.64.0/24",
      ["ip", "route", "del", "198.18.64.0/24", "table", "21575"],
      undefined,
      "globex",
    ],
    ["IPv6 policy routing", ["ip", "-6", "rule", "del", "priority", "21575"], undefined, "(acme|globex)"],
  ])("%s: is mended", async (name, command, namespace, customer) => {
    const running = start("--look", "0.2");
    await running.says(/following/);
    edge.server.run(command, namespace === undefined ? {} : { namespace });
    await running.says(new RegExp(`<4>${customer}: mended, there was missing: .*${name}`));
    const { node, customers } = await edge.server.status();
    expect([node.drift, ...customers.map((one: { drift: unknown }) => one.drift)]).toEqual([[], [], []]);
  });

  test("is mended from the store where its own copy is damaged, too", async () => {
    const [{ generation }] = await loaded();
    edge.server.run(["sh", "-c", `echo >> /run/tidegate/customers/acme/bundle-${generation}/nft/acme.nft`]);
    const running = start("--look", "0.2");
    await running.says(/<4>acme: mended, there was missing: stored bundle/);
    expect(await loaded()).toMatchObject([{ drift: [] }, { drift: [] }]);
  });
});

describe("a customer", () => {
  test("that is missing in the store stays, and that is said once", async () => {
    renameSync(join(root, "heads"), join(root, "elsewhere"));
    const running = start("--poll", "0.1");
    await running.says(/<4>acme: is not in the store any more; it stays in force/);
    await running.says(/<4>globex: is not in the store any more/);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(running.output.match(/acme: is not in the store/g)).toHaveLength(1);
    renameSync(join(root, "elsewhere"), join(root, "heads"));
    await running.says(/<6>head of acme: well again/);
    expect(await loaded()).toHaveLength(2);
  });

  test("stays where the whole store is gone", async () => {
    renameSync(root, `${root}-elsewhere`);
    const running = start("--poll", "0.1");
    await running.says(/<4>dir:.*store: TG9101 cannot read the store .*ENOENT/);
    renameSync(`${root}-elsewhere`, root);
    await running.says(/<6>dir:.*store: well again/);
    expect(await loaded()).toHaveLength(2);
  });

  test("that is to be removed is; the last one leaves the machine as it was found", async () => {
    const running = start();
    await running.says(/following/);
    await publishRemoval(store, "acme");
    await running.says(/<6>acme: removed, as revision \d+ says/);
    expect(await loaded()).toMatchObject([{ name: "globex", drift: [] }]);
    await publishRemoval(store, "globex");
    await running.says(/<6>globex: removed/);
    expect(edge.server.portrait()).toBe(found);
    await publish(first);
    await running.says(/<6>acme: revision \d+ in force as generation 1 /);
  });
});

test("what cannot be used from the start ends it with exit code 2", async () => {
  writeFileSync(edgeFile(), "export default 7;\n");
  const running = start();
  expect(await running.ended).toBe(2);
  expect(running.output).toMatch(/edge\.ts has errors; they were printed before this line/);
  writeEdge(edgeFile(), NODE);
});

function readFileInside(file: string): string {
  return edge.server.run(["cat", file]);
}

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AcmeEdge, acme, CHICAGO, NODE } from "../support/acme-edge.js";
import { address, rule } from "../support/ir.js";
import { applyKilled as killApply } from "../support/killed-apply.js";

/** Runs that are killed in the middle, by a signal that nobody can catch. */

let edge: AcmeEdge;
let found: string;
let first: string;
let second: string;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  found = edge.server.portrait();
  first = edge.bundle("first", acme());
  second = edge.bundle(
    "second",
    acme({
      mitigate: [rule("more-bogons", "drop", address("ip.src", "10.0.0.0/8", "192.168.0.0/16"))],
      firewall: { default: "allow", rules: [], stateful: false, offload: "auto" },
      tunnels: [{ ...CHICAGO, ttl: 17 }],
    }),
  );
});

afterAll(() => edge?.server.end());

const applyKilled = (victim: "runtime" | "loader", bundle: string, step: string, node = NODE) =>
  killApply(edge.server, { victim, bundle, node, step });

const acmeNow = async () => (await edge.server.status()).customers[0];

describe("the first bundle", () => {
  test.each(["root program on up0", "link tg-acme", "record"])(
    "killed at %s: applied again it is whole, and removed it leaves nothing",
    async (step) => {
      expect(applyKilled("runtime", first, step)).toBe("");
      await edge.server.apply(first, NODE);
      expect(await edge.server.status()).toMatchObject({ node: { drift: [] }, customers: [{ drift: [] }] });
      await edge.server.remove("acme");
      expect(edge.server.portrait()).toBe(found);
    },
  );

  test.each([
    ["namespace", ["netns add tg-acme"]],
    ["link", ["netns add tg-acme", "link add tg-acme type veth peer name edge netns tg-acme"]],
  ])("killed while it makes the %s: what is half there is made anew", async (_name, lines) => {
    applyKilled("runtime", first, "namespace tg-acme");
    edge.server.ip(lines);
    await edge.server.apply(first, NODE);
    expect(edge.server.run(["ip", "rule"], { namespace: "tg-acme" })).toContain("blackhole");
    expect(edge.server.run(["ip", "-6", "route"], { namespace: "tg-acme" })).toContain("default via fe80::1");
    await edge.server.remove("acme");
    expect(edge.server.portrait()).toBe(found);
  });

  test.each(["clsact on up1", "claim prefixes"])(
    "its loader killed at %s: everything is as it was before",
    async (step) => {
      expect(applyKilled("loader", first, step)).toMatch(
        /^TG9006 .*ended \(SIGKILL\); everything is as it was/,
      );
      expect(edge.server.portrait()).toBe(found);
      expect(edge.server.run(["ls", "-AR", "/run/tidegate"])).not.toContain("acme");
    },
  );

  test("its loader killed before anything is done", () => {
    expect(applyKilled("loader", first, "verify the bundle")).toMatch(/^TG9015 this node refused: .*SIGKILL/);
  });
});

describe("a change", () => {
  beforeAll(async () => void (await edge.server.apply(first, NODE)));

  test.each(["tunnel chicago", "switch", "record"])(
    "killed at %s: status says so, and the old bundle applied again is whole",
    async (step) => {
      const { generation } = await acmeNow();
      expect(applyKilled("runtime", second, step)).toBe("");
      expect((await acmeNow()).drift).toContain(`end of the change to generation ${generation + 1}`);
      expect(await edge.server.apply(first, NODE)).toMatchObject({ changed: true });
      expect(await acmeNow()).toMatchObject({ generation: generation + 1, drift: [] });
      const stored = edge.server.run([
        "ls",
        "/run/tidegate/customers/acme",
        "/run/tidegate/bpf/customers/acme",
      ]);
      expect(stored.match(/\d+$/gm)).toEqual([`${generation + 1}`, `${generation + 1}`]);
    },
  );

  test.each(["tunnel chicago", "switch"])(
    "its loader killed at %s: the old one is in force",
    async (step) => {
      const { generation } = await acmeNow();
      expect(applyKilled("loader", second, step)).toMatch(/^TG9006 .*; everything is as it was before/);
      expect(await acmeNow()).toMatchObject({ generation, drift: [] });
    },
  );
});

describe("another description of the node", () => {
  const other = { ...NODE, uplinks: ["up0", "up2"], anycast: ["198.18.0.2", "2001:db8:ed6e::2"] };
  /** Devices that were made anew have other numbers. */
  const portrait = () => edge.server.portrait().replace(/^\d+: (\S+)@if\d+/gm, "$1");

  test.each([
    ["root program on up2", { customers: [] }],
    ["switch", { customers: ["acme"] }],
  ])(
    "killed at %s: recovered it is the old one, and nothing of the new one is left, though its uplink is gone",
    async (step, recovered) => {
      await edge.server.apply(first, NODE);
      const before = portrait();
      edge.server.ip(["link add up2 type veth peer name far2"]);
      expect(applyKilled("runtime", second, step, other)).toBe("");
      expect((await edge.server.status()).node.drift).toContain("end of the change of the node");
      edge.server.ip(["link del up2"]);
      expect(await edge.server.recoverNode()).toEqual(recovered);
      expect(portrait()).toBe(before);
      expect(await edge.server.status()).toMatchObject({
        node: { drift: [], anycast: NODE.anycast, uplinks: [{ device: "up0" }, { device: "up1" }] },
        customers: [{ drift: [] }],
      });
      // Through the tunnel, of which the outer source is the old one again, and back.
      expect(edge.connect(21)).toBe("refused");
    },
  );
});

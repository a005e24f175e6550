import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleText, copyBundle, readBundle } from "../../runtime/bundle.js";
import { requireTunnels } from "../../runtime/customer/change.js";
import { freeSlot } from "../../runtime/customer/program.js";
import { builtFile } from "../../runtime/host.js";
import { checkOwnership } from "../../runtime/ownership.js";
import { holdsOf, Paths, readCustomers, readNodeState, recordCustomer } from "../../runtime/state.js";
import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import { CONTENT, codeOf, MANIFEST, writeIn, writeTinyBundle } from "../support/tiny-bundle.js";

const TUNNEL: Manifest["tunnels"][number] = {
  name: "home",
  device: "gre-home",
  peer: "tg-acme-home",
  ...{ kind: "gre", remote: "198.51.100.1", key: null },
  ...{ ttl: 64, mtu: 1476, dscp: "inherit", df: "set" },
};

const OVER_IPV6: Manifest["tunnels"][number] = { ...TUNNEL, remote: "2001:db8::1" };

const NODE: NodeConfig = {
  schema: 1,
  uplinks: ["up0"],
  anycast: ["198.18.0.1"],
  owners: {
    acme: ["203.0.113.0/24", "192.0.2.0/24"],
    globex: ["203.0.113.128/25", "192.0.2.0/24", "2001:db8::/32"],
  },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-bundle-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, content: string): void => writeIn(folder, file, content);
const writeBundle = (overrides: object = {}): void => writeTinyBundle(folder, overrides);

describe("a bundle", () => {
  test("that is whole is read, and its copy is the same", async () => {
    writeBundle();
    const bundle = await readBundle(folder);
    expect(bundle.manifest).toEqual(MANIFEST);
    const target = mkdtempSync(join(tmpdir(), "tidegate-copy-"));
    const copy = await copyBundle(bundle, target);
    expect(copy).toEqual({ ...bundle, dir: target });
    expect(await bundleText(copy, "nft/acme.nft")).toBe(CONTENT);
    expect(await readBundle(target)).toEqual(copy);
    rmSync(target, { recursive: true });
  });

  const damage: readonly (readonly [string, string, () => void])[] = [
    ["without a manifest", "TG5001", () => rmSync(join(folder, "manifest.json"))],
    ["whose manifest is not JSON", "TG5001", () => write("manifest.json", "{")],
    ["with a link in it", "TG5022", () => symlinkSync("/etc/hostname", join(folder, "nft/link"))],
    ["of another schema", "TG5002", () => writeBundle({ schema: 2 })],
    ["that names more than it may", "TG5002", () => writeBundle({ more: true })],
    ["with a prefix that is none", "TG5002", () => writeBundle({ prefixes: ["203.0.113.1/24"] })],
    [
      "with a table of two families",
      "TG5002",
      () => writeBundle({ tables: [{ map: "m", kind: "lpm", family: 4, entries: ["2001:db8::/32"] }] }),
    ],
    ["with a tunnel to nowhere", "TG5002", () => writeBundle({ tunnels: [{ ...TUNNEL, remote: "1.2.3" }] })],
    ["with a changed file", "TG5003", () => write("nft/acme.nft", `${CONTENT} `)],
    ["without a file", "TG5004", () => rmSync(join(folder, "nft/acme.nft"))],
    ["with a stranger", "TG5005", () => write("nft/other.nft", CONTENT)],
    ["that wants another's namespace", "TG5010", () => writeBundle({ namespace: "tg-globex" })],
    ["that wants the uplink", "TG5010", () => writeBundle({ link: "eth0" })],
    [
      "whose tunnel wants the uplink",
      "TG5010",
      () => writeBundle({ tunnels: [{ ...TUNNEL, peer: "eth0" }] }),
    ],
    [
      "whose tunnel wants the customer's link",
      "TG5010",
      () => writeBundle({ tunnels: [{ ...TUNNEL, device: "edge" }] }),
    ],
  ];
  test.each(damage)("%s is refused with %s", async (_name, code, spoil) => {
    writeBundle();
    spoil();
    expect(await codeOf(() => readBundle(folder))).toBe(code);
  });

  test("changed after it was read is loaded and copied as it was read", async () => {
    writeBundle();
    const bundle = await readBundle(folder);
    write("nft/acme.nft", "table inet somebody-else {}");
    expect(await bundleText(bundle, "nft/acme.nft")).toBe(CONTENT);
    const target = mkdtempSync(join(tmpdir(), "tidegate-copy-"));
    await copyBundle(bundle, target);
    expect(await bundleText(await readBundle(target), "nft/acme.nft")).toBe(CONTENT);
    rmSync(target, { recursive: true });
  });

  test("gives no file that its manifest does not list", async () => {
    writeBundle();
    const bundle = await readBundle(folder);
    expect(await codeOf(() => bundleText(bundle, "xdp/acme.bpf.o"))).toBe("TG5004");
  });
});

describe("ownership", () => {
  const globex = { ...MANIFEST, customer: "globex", namespace: "tg-globex", link: "tg-globex" };
  const tunnelled = {
    ...globex,
    prefixes: ["2001:db8::/32"],
    tunnels: [{ ...TUNNEL, name: "paris", device: "gre-paris", peer: "tg-globex-paris" }],
  };
  const cases: readonly (readonly [string, string, Partial<Manifest>, readonly Partial<Manifest>[]])[] = [
    ["its own prefix", "none", {}, []],
    ["a part of it", "none", { prefixes: ["203.0.113.0/25"] }, []],
    ["its own prefix again, when already loaded", "none", {}, [{}]],
    ["a customer unknown to the node", "TG5006", { customer: "initech" }, []],
    ["a name that every object has", "TG5006", { customer: "constructor" }, []],
    ["a prefix of nobody", "TG5007", { prefixes: ["198.51.100.0/24"] }, []],
    ["more than was granted", "TG5007", { prefixes: ["203.0.112.0/23"] }, []],
    ["another family", "TG5007", { prefixes: ["2001:db8::/32"] }, []],
    ["a part that was granted to another", "TG5007", { prefixes: ["203.0.113.192/26"] }, []],
    [
      "what another has loaded",
      "TG5008",
      { prefixes: ["192.0.2.0/24"] },
      [{ ...globex, prefixes: ["192.0.2.0/24"] }],
    ],
    [
      "a part of what another has loaded",
      "none",
      { prefixes: ["192.0.2.0/25"] },
      [{ ...globex, prefixes: ["192.0.2.0/24"] }],
    ],
    ["another's link", "TG5009", {}, [{ ...globex, prefixes: ["2001:db8::/32"], link: "tg-acme" }]],
    ["a tunnel of its own", "none", { tunnels: [TUNNEL] }, [{ ...tunnelled, tunnels: [] }]],
    ["its own tunnel again", "none", { tunnels: [TUNNEL] }, [{ tunnels: [TUNNEL] }]],
    ["another's tunnel", "TG5011", { tunnels: [TUNNEL] }, [tunnelled]],
    ["another's router with a key", "none", { tunnels: [{ ...TUNNEL, key: 0 }] }, [tunnelled]],
    ["another's router with IP in IP", "none", { tunnels: [{ ...TUNNEL, kind: "ipip" }] }, [tunnelled]],
    [
      "another's router, spelled in another way",
      "TG5011",
      { tunnels: [{ ...OVER_IPV6, remote: "2001:db8:0::1" }] },
      [{ ...tunnelled, tunnels: [{ ...OVER_IPV6, peer: "tg-globex-paris" }] }],
    ],
    [
      "a router in another's prefix",
      "TG5026",
      { tunnels: [{ ...TUNNEL, remote: "192.0.2.1" }] },
      [{ ...globex, prefixes: ["192.0.2.0/25"] }],
    ],
    [
      "a prefix around another's router",
      "TG5026",
      { prefixes: ["192.0.2.0/24"] },
      [{ ...tunnelled, tunnels: [{ ...TUNNEL, remote: "192.0.2.1" }] }],
    ],
    [
      "a router at the edge's own address",
      "TG5028",
      { tunnels: [{ ...TUNNEL, remote: NODE.anycast[0] ?? "" }] },
      [],
    ],
    [
      "one tunnel twice",
      "TG5011",
      { tunnels: [TUNNEL, { ...TUNNEL, name: "again", device: "gre-again", peer: "tg-acme-again" }] },
      [],
    ],
  ];
  test.each(cases)("%s: %s", async (_name, code, manifest, loaded) => {
    const holders = loaded.map((one) => ({ ...MANIFEST, ...one }));
    expect(await codeOf(() => checkOwnership({ ...MANIFEST, ...manifest }, NODE, holders))).toBe(code);
  });
});

describe("what a node cannot do", () => {
  const ONLY_IPV6 = { ...NODE, anycast: ["2001:db8::1"] };
  const bundle = (tunnels: Manifest["tunnels"]) => ({
    dir: "",
    hash: "",
    manifest: { ...MANIFEST, tunnels },
    release: null,
    contents: new Map(),
  });

  test.each([
    ["a tunnel over IPv4", "none", [TUNNEL], NODE],
    ["a tunnel over IPv6 without an IPv6 anycast address", "TG5027", [OVER_IPV6], NODE],
    ["a tunnel over IPv4 without an IPv4 anycast address", "TG5027", [TUNNEL], ONLY_IPV6],
    ["a tunnel over IPv6 where there is only IPv6", "none", [OVER_IPV6], ONLY_IPV6],
  ])("%s: %s", async (_name, code, tunnels, node) => {
    expect(await codeOf(() => requireTunnels(bundle(tunnels), node))).toBe(code);
  });

  test("a file that was not built: TG9008", async () => {
    expect(await codeOf(() => builtFile("bpf/nothing.bpf.o"))).toBe("TG9008");
  });

  test("state that is not readable: TG9011", async () => {
    write("customers/acme/state.json", '{"customer":"acme"}');
    expect(await codeOf(() => readCustomers(new Paths(folder)))).toBe("TG9011");
  });

  test("customers without a record of the node: TG9011", async () => {
    const paths = new Paths(folder);
    expect(await readNodeState(paths)).toBeUndefined();
    const record = { customer: "acme", generation: 1, hash: "", slot: 0, since: "" };
    await recordCustomer(paths, { ...record, holds: holdsOf(MANIFEST) });
    expect(await codeOf(() => readNodeState(paths))).toBe("TG9011");
  });

  test("slots are used again, and when all are taken: TG9012", async () => {
    const record = (slot: number) => ({ customer: `c${slot}`, generation: 1, hash: "", slot, since: "" });
    expect(freeSlot([record(0), record(2)])).toBe(1);
    expect(await codeOf(() => freeSlot(Array.from({ length: 4096 }, (_, slot) => record(slot))))).toBe(
      "TG9012",
    );
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { Probe } from "../../runtime/probe-client.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { Firewall, Policy, Rule } from "../../src/compiler/ir/policy.js";
import { formatManifest } from "../../src/targets/bundle.js";
import { withinRoom } from "../../src/targets/registry.js";
import { AcmeEdge, acme, FTP, NODE } from "../support/acme-edge.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { address, and, bits, entangled, limit, list, number, policy, rule } from "../support/ir.js";
import { XdpUnderTest } from "../support/xdp-under-test.js";

describe("on an edge server", () => {
  let edge: AcmeEdge;

  beforeAll(async () => {
    edge = await AcmeEdge.start();
  });

  afterAll(async () => {
    await edge?.server.end();
  });

  function closed(offload: Firewall["offload"]): Policy {
    const rules = [
      rule("finger", "drop", number("udp.dstport", 79)),
      rule("ident", "reject", number("udp.dstport", 113)),
    ];
    return acme({ firewall: { default: "drop", rules, stateful: false, offload } });
  }

  /** Packets that the namespace's own counter counted: what XDP dropped is not among them. */
  function inNamespace(name: string): number {
    const listed = JSON.parse(
      edge.server.run(["ip", "netns", "exec", "tg-acme", "nft", "-j", "list", "counters"]),
    );
    const counters: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[] =
      listed.nftables;
    return counters.find(({ counter }) => counter?.name === name)?.counter?.packets ?? -1;
  }

  async function counted(name: string): Promise<number> {
    const { customers } = await edge.server.status();
    return customers[0].counters.firewall[name].packets;
  }

  function send(port: number, count: number): void {
    edge.script(
      "client",
      `const s = require("dgram").createSocket("udp4");
       let left = ${count};
       s.bind({ address: "192.0.2.7", port: 4000 }, () => {
         for (let i = 0; i < ${count}; i++) s.send("x", ${port}, "${FTP}", () => --left === 0 && s.close());
       });`,
    );
  }

  /** What `status` says of each, and the part of it that the namespace counted. */
  async function seen(): Promise<Record<string, readonly [number, number]>> {
    return {
      finger: [await counted("finger"), inNamespace("rule-finger")],
      ident: [await counted("ident"), inNamespace("rule-ident")],
      default: [await counted("default"), inNamespace("default")],
    };
  }

  function sendAll(): void {
    send(79, 3);
    send(113, 4);
    send(9, 5);
  }

  test("drops are made and counted in XDP, the rest in the namespace, and each packet once", async () => {
    await edge.server.apply(edge.bundle("auto", closed("auto")), NODE);
    sendAll();
    expect(await seen()).toEqual({ finger: [3, 0], ident: [4, 4], default: [5, 0] });
  });

  test("off, all of it is the namespace's", async () => {
    await edge.server.apply(edge.bundle("off", closed("off")), NODE);
    sendAll();
    // What was counted under a name before goes on.
    expect(await seen()).toEqual({ finger: [6, 3], ident: [8, 8], default: [10, 5] });
  });

  test("a bundle of before there was an early step is loaded and counted as ever", async () => {
    const folder = edge.bundle("old", closed("off"));
    const path = join(folder, "manifest.json");
    const { firewall, ...manifest } = JSON.parse(readFileSync(path, "utf8"));
    const { early, ...old } = firewall;
    expect(early).toBe(false);
    writeFileSync(path, formatManifest({ ...manifest, firewall: old }));
    expect(await edge.server.apply(folder, NODE)).toMatchObject({ changed: true });
    sendAll();
    expect(await seen()).toEqual({ finger: [9, 6], ident: [12, 12], default: [15, 10] });
  });
});

describe("the largest firewalls that are looked at early", () => {
  let loader: Loader;
  let probe: Probe;
  let bpffs: BpfFs;

  beforeAll(async () => {
    bpffs = mountBpfFs();
    loader = await Loader.start();
    probe = await Probe.start();
  });

  afterAll(async () => {
    await probe?.close();
    await loader?.close();
    bpffs?.unmount();
  });

  const three = (i: number): Expr =>
    and(
      address("ip.src", `10.${i >> 8}.${i & 255}.0/24`),
      number("tcp.dstport", [i, i + 5]),
      bits("tcp.flags", 2),
    );
  const many = (kind: "allow" | "drop", name: string, count: number): readonly Rule[] =>
    Array.from({ length: count }, (_, i) => rule(`${name}${i}`, kind, three(i)));

  test.each<[string, readonly Rule[]]>([
    ["alone", []],
    ["behind-a-limit", [rule("limit", limit(5, 5, "ip.src"), number("ip.proto", 17))]],
    ["behind-many-that-drop", many("drop", "m", 250)],
    // Each of these is a way of its own into the firewall.
    ["behind-many-that-allow", many("allow", "m", 250)],
  ])("%s", async (name, mitigate) => {
    const some = Array.from({ length: 2000 }, (_, i) =>
      rule(`f${i}`, i % 3 === 0 ? "allow" : "drop", three(i)),
    );
    // Without it all of them would be looked up in tables.
    const rules = [rule("odd", "drop", entangled("x")), ...some];
    const firewall: Firewall = { default: "drop", rules, stateful: false, offload: "auto" };
    const largest = withinRoom({ ...policy(mitigate, [list("x", "192.0.2.1")]), firewall });
    expect(largest.firewall.earlyRules).toBeGreaterThan(200);
    const xdp = await XdpUnderTest.load(loader, probe, largest, `${bpffs.path}/${name}`);
    expect(xdp.names).toContain("f1999");
  });
});

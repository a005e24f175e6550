import { availableParallelism } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Counter } from "../../runtime/counters.js";
import type { Datapath, Policy } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, FTP, NODE } from "../support/acme-edge.js";
import { number, rule } from "../support/ir.js";
import { letSendBack, sentBack, UPLINKS, uplinkRow } from "../support/uplink-rows.js";

/**
 * The fast path on an edge server, between network cards that are veth pairs or bridges: what is allowed arrives, once, and is
 * counted once, whichever way it takes and while the way changes.
 */
function sending(datapath: Datapath): Policy {
  const web = rule("web", "allow", number("tcp.dstport", 8000));
  const dns = rule("dns", "allow", number("udp.dstport", 53));
  const seen = rule("seen", { kind: "count" }, number("udp.dstport", 54));
  const ntp = rule("ntp", "allow", number("udp.dstport", 54));
  const firewall = {
    default: "drop",
    rules: [web, dns, seen, ntp],
    stateful: false,
    offload: "auto",
  } as const;
  return acme({ datapath, firewall });
}

/** Prints the numbers that datagrams carried when it is ended. */
const RECEIVER = `
  const seen = [];
  for (const port of [53, 54]) {
    const s = require("dgram").createSocket("udp4");
    s.on("message", (m) => seen.push(Number(m)));
    s.bind(port, "${FTP}", () => port === 54 && console.log("up"));
  }
  process.on("SIGTERM", () => { console.log(JSON.stringify(seen)); process.exit(); });`;

const UP0 = "02:00:00:00:07:01";

describe.each([
  ["native", false],
  ["generic", true],
] as const)("uplinks with %s XDP", (mode, bridged) => {
  let edge: AcmeEdge;

  beforeAll(async () => {
    edge = await AcmeEdge.start({ bridged });
    // As network cards do it: checksums are written before a frame leaves, and the far end takes frames from XDP.
    edge.server.run(["ethtool", "-K", "eth0", "tx", "off"], { namespace: "client" });
    for (const namespace of ["client", "router"])
      edge.server.run(["ethtool", "-K", "eth0", "gro", "on"], { namespace });
    edge.server.ip([`link set up0 address ${UP0}`]);
    // What was too long once is sent as long again.
    edge.server.ip(["route replace default via 192.0.2.254 mtu lock 1500"], "client");
    filterSources(0);
    await edge.server.apply(edge.bundle("xdp", sending("xdp")), NODE);
  });

  afterAll(() => edge?.server.end());

  /** As the machine's own namespace has it, which a new one takes over, it may be on. */
  function filterSources(up1: number): void {
    const settings = ["all=0", "up0=0", `up1=${up1}`].map(
      (one) => `net.ipv4.conf.${one.replace("=", ".rp_filter=")}`,
    );
    edge.server.run(["sysctl", "-q", "-w", ...settings]);
  }

  const acmeStatus = async () => (await edge.server.status()).customers[0];

  /** Numbered datagrams, some hundred a second, of `length` bytes at least. */
  function send(port: number, count: number, { length = 0, source = "192.0.2.7" } = {}): void {
    edge.script(
      "client",
      `const s = require("dgram").createSocket("udp4");
       let next = 0;
       const more = () => next < ${count} ? s.send(String(next++).padEnd(${length}), ${port}, "${FTP}", () => setTimeout(more, 1)) : s.close();
       s.bind({ address: "${source}", port: 4000 }, more);`,
    );
  }

  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

  test("status says so, and finds nothing missing", async () => {
    const { node } = await edge.server.status();
    const slow = bridged ? "up0 has generic XDP" : null;
    expect(node).toMatchObject({ drift: [], slow, uplinks: [{ xdp: mode }, { xdp: mode }] });
    expect(await acmeStatus()).toMatchObject({ drift: [], datapath: "xdp" });
  });

  test("what is allowed arrives, sent from native XDP, and each packet is counted once", async () => {
    const site = await edge.start("site", RECEIVER);
    // The next hop gets known by what goes through the namespace.
    send(53, 1);
    const before = await acmeStatus();
    send(53, 50);
    send(54, 20);
    send(55, 10);
    const after = await acmeStatus();
    const arrived: number[] = JSON.parse((await site.end()).split("\n").at(-2) ?? "");
    expect(arrived).toEqual([0, ...numbers(50), ...numbers(20)]);
    const counted = (name: string) =>
      after.counters.firewall[name].packets - before.counters.firewall[name].packets;
    expect(["dns", "seen", "ntp", "default"].map(counted)).toEqual([50, 20, 20, 10]);
    const sent = (kind: "sent" | "fromXdp") =>
      after.tunnels[0][kind].packets - before.tunnels[0][kind].packets;
    expect(sent("sent")).toBe(70);
    // What a rule counts on its way goes by the namespace, and once a second what finds out whether the next hop lives.
    if (bridged) expect(sent("fromXdp")).toBe(0);
    else expect(sent("fromXdp")).toBeOneOf([46, 47, 48, 49, 50]);
  });

  // How a frame is sent on is the driver's; the rest does not hang on it.
  if (bridged) return;

  test("a connection comes through both ways", async () => {
    const site = await edge.start(
      "site",
      `require("net").createServer((s) => s.end()).listen(8000, "::", () => console.log("up"));`,
    );
    const before = (await acmeStatus()).tunnels[0].fromXdp.packets;
    expect([edge.connect(8000), edge.connect(8001)]).toEqual(["open", "silence"]);
    expect((await acmeStatus()).tunnels[0].fromXdp.packets).toBeGreaterThan(before);
    await site.end();
  });

  /** What XDP sent itself of 20 datagrams. */
  async function sentFromXdp(options?: Parameters<typeof send>[2]): Promise<number> {
    const before = (await acmeStatus()).tunnels[0].fromXdp.packets;
    send(53, 20, options);
    return (await acmeStatus()).tunnels[0].fromXdp.packets - before;
  }

  const ROUTER = "198.51.100.1";
  const [ANYCAST = ""] = NODE.anycast;
  test.each([
    {
      what: "to a router that cannot be reached",
      begin: [`route add unreachable ${ROUTER}/32`],
      end: [`route del ${ROUTER}/32`],
    },
    {
      what: "by a device that is no uplink",
      begin: [
        "link add aside type veth peer name beside",
        "link set beside up",
        "link set aside up",
        `neigh add ${ROUTER} lladdr 02:00:00:00:00:aa nud permanent dev aside`,
        `route add ${ROUTER}/32 dev aside`,
      ],
      end: ["link del aside"],
    },
    {
      what: "by a way that is too short with the tunnel's headers alone",
      begin: [`route add ${ROUTER}/32 dev up1 mtu lock 1300`],
      end: [`route del ${ROUTER}/32`],
      length: 1260,
    },
    {
      what: "of a frame to another's address",
      namespace: "client",
      begin: [`neigh replace 192.0.2.254 lladdr ${UP0.slice(0, -1)}f nud permanent dev eth0`],
      end: ["neigh del 192.0.2.254 dev eth0"],
    },
    {
      what: "of what says to be from the node itself",
      namespace: "client",
      begin: [`addr add ${ANYCAST}/32 dev eth0`],
      end: [`addr del ${ANYCAST}/32 dev eth0`],
      source: ANYCAST,
    },
  ])("nothing is sent from XDP $what, and all is when that is over", async (one) => {
    expect(await sentFromXdp()).toBeGreaterThan(10);
    edge.server.ip(one.begin, one.namespace);
    const meanwhile = await sentFromXdp(one);
    edge.server.ip(one.end, one.namespace);
    expect(meanwhile).toBe(0);
    expect(await sentFromXdp()).toBeGreaterThan(10);
  });

  test.each(["the kernel", "its driver"])(
    "what leaves by the uplink that it came by, sent by %s, arrives there, once",
    async (by) => {
      const client = { namespace: "client" };
      // It does not pass them on.
      const chain =
        "chain c { type filter hook prerouting priority 0; ip protocol gre counter name c drop; }";
      edge.server.run(["nft", `table inet t { counter c { }; ${chain}; }`], client);
      edge.server.ip([`route add ${ROUTER}/32 via 192.0.2.7 dev up0`]);
      if (by === "its driver") letSendBack(edge, "up0", "client");
      // The next hop gets known by what goes through the namespace.
      send(53, 1);
      const before = sentBack(edge, "up0");
      const fast = await sentFromXdp();
      const back = sentBack(edge, "up0") - before;
      const listing = edge.server.run(["nft", "-j", "list", "counters"], client);
      edge.server.run(["nft", "delete table inet t"], client);
      edge.server.ip(["link set eth0 xdp off"], "client");
      edge.server.ip([`route del ${ROUTER}/32`]);
      await edge.server.apply(edge.bundle("xdp-of-one-uplink", sending("xdp")), NODE);
      expect(fast).toBeGreaterThan(10);
      expect(back).toBe(by === "its driver" ? fast : 0);
      expect(JSON.parse(listing).nftables[1].counter.packets).toBe(21);
    },
  );

  test("what leaves by another uplink than it came by is not sent back, though either could", async () => {
    letSendBack(edge, "up0", "client");
    letSendBack(edge, "up1", "router");
    const before = sentBack(edge, "up0");
    const fast = await sentFromXdp();
    const back = sentBack(edge, "up0") - before;
    for (const namespace of ["client", "router"]) edge.server.ip(["link set eth0 xdp off"], namespace);
    await edge.server.apply(edge.bundle("xdp-of-two-uplinks", sending("xdp")), NODE);
    expect(fast).toBeGreaterThan(10);
    expect(back).toBe(0);
  });

  test("a frame to one uplink's address that came by another is not sent on, however they take turns", async () => {
    const neighbour = "198.51.100.254";
    edge.server.ip([`neigh replace ${neighbour} lladdr ${UP0} nud permanent dev eth0`], "router");
    // Some of either within each jiffy, and on one processor: that is how long an uplink is known there.
    const sender = (next: string, ready = "") =>
      `require("child_process").execFileSync("taskset", ["-cp", "0", String(process.pid)]);
       const s = require("dgram").createSocket("udp4");
       let left = 300;
       const send = () => s.send("x", 53, "${FTP}", () => setTimeout(more, 1));
       const more = () => ${next};
       s.bind(4000, () => { more(); ${ready} });`;
    const beside = await edge.start("router", sender("send()", 'console.log("up")'));
    const before = await acmeStatus();
    edge.script("client", sender("left-- ? send() : s.close()"));
    await beside.end();
    edge.server.ip([`neigh del ${neighbour} dev eth0`], "router");
    const after = await acmeStatus();
    // Those of the client alone: the kernel drops the router's as somebody else's, and nobody counts them.
    const [dns, dnsBefore] = [after, before].map(({ counters }) => counters.firewall.dns.packets);
    expect(dns - dnsBefore).toBe(300);
    expect(after.tunnels[0].fromXdp.packets - before.tunnels[0].fromXdp.packets).toBeGreaterThan(280);
  });

  test("once a second a packet goes by the namespace, where the kernel asks whether the next hop lives", async () => {
    const before = (await acmeStatus()).tunnels[0];
    edge.script(
      "client",
      `const s = require("dgram").createSocket("udp4");
       const end = performance.now() + 2200;
       const more = () => performance.now() < end ? s.send("0", 53, "${FTP}", () => setTimeout(more, 10)) : s.close();
       s.bind({ address: "192.0.2.7", port: 4000 }, more);`,
    );
    const after = (await acmeStatus()).tunnels[0];
    const sent = (kind: "sent" | "fromXdp") => after[kind].packets - before[kind].packets;
    // Of each processor's.
    expect(sent("sent") - sent("fromXdp")).toBeGreaterThanOrEqual(2);
    expect(sent("sent") - sent("fromXdp")).toBeLessThanOrEqual(4 * availableParallelism());
  });

  test("while the way changes and changes back no packet is lost or comes twice", async () => {
    const site = await edge.start("site", RECEIVER);
    const counted = async () => (await acmeStatus()).counters.firewall["dns"].packets;
    const before = await counted();
    const client = await edge.start(
      "client",
      `const s = require("dgram").createSocket("udp4");
       let next = 0, ends = false;
       process.on("SIGTERM", () => { ends = true; });
       const more = () => ends ? (console.log("\\n" + next), s.close()) : s.send(String(next++), 53, "${FTP}", () => setTimeout(more, 1));
       s.bind({ address: "192.0.2.7", port: 4000 }, () => { console.log("up"); more(); });`,
    );
    for (const datapath of ["namespace", "xdp", "namespace", "xdp"] as const)
      await edge.server.apply(edge.bundle(`${datapath}-again`, sending(datapath)), NODE);
    const sent = Number((await client.end()).trim().split("\n").at(-1));
    // The last one may be on its way still.
    await expect.poll(counted, { timeout: 10_000 }).toBe(before + sent);
    const arrived: number[] = JSON.parse((await site.end()).split("\n").at(-2) ?? "");
    expect(sent).toBeGreaterThan(100);
    expect([...arrived].sort((a, b) => a - b)).toEqual(numbers(sent));
  });

  test("what it sent stays counted while tunnels come and go, and while the namespace sends", async () => {
    const { tunnels } = sending("xdp");
    const [chicago] = tunnels;
    if (!chicago) throw new Error("Acme has a tunnel");
    const more = { ...sending("xdp"), tunnels: [{ ...chicago, name: "dallas", key: 9 }, ...tunnels] };
    const counts = async () => {
      const all = (await acmeStatus()).tunnels as { name: string; sent: Counter; fromXdp: Counter }[];
      const { sent, fromXdp } = all.find(({ name }) => name === "chicago") ?? {};
      return { sent, fromXdp };
    };
    await edge.server.apply(edge.bundle("one", sending("xdp")), NODE);
    const before = await counts();
    expect(before.fromXdp?.packets).toBeGreaterThan(0);
    for (const policy of [more, sending("namespace"), sending("xdp")]) {
      await edge.server.apply(edge.bundle("another", policy), NODE);
      expect(await counts()).toEqual(before);
    }
  });

  test("where sources are filtered, loosely too, all goes by the namespace", async () => {
    const bundle = edge.bundle("xdp-filtered", sending("xdp"));
    filterSources(2);
    const rows = ["uplink up0 known to XDP", "uplink up1 known to XDP"];
    const slow = "net.ipv4.conf.up1.rp_filter is 2";
    expect((await edge.server.status()).node).toMatchObject({ slow, drift: rows });
    await edge.server.apply(bundle, NODE);
    expect((await edge.server.status()).node).toMatchObject({ slow, drift: [] });
    const before = (await acmeStatus()).tunnels[0];
    send(53, 5);
    const after = (await acmeStatus()).tunnels[0];
    expect(after.sent.packets - before.sent.packets).toBe(5);
    expect(after.fromXdp.packets).toBe(before.fromXdp.packets);
    filterSources(0);
    await edge.server.apply(bundle, NODE);
  });

  test("a program whose tunnels nobody can look at any more is missed, and the next apply loads another", async () => {
    const rows = "/run/tidegate/bpf/customers/acme/*/map_tunnels";
    edge.server.run(["sh", "-ec", `rm ${rows}`]);
    expect(await acmeStatus()).toMatchObject({ drift: ["XDP program"] });
    await edge.server.apply(edge.bundle("xdp-unpinned", sending("xdp")), NODE);
    expect(await acmeStatus()).toMatchObject({ drift: [] });
    edge.server.run(["sh", "-ec", `ls ${rows}`]);
  });

  const known = (): { key: readonly string[] }[] =>
    JSON.parse(edge.server.run(["bpftool", "-j", "map", "dump", "pinned", UPLINKS]));

  test("an uplink whose row goes is none any more, and one again when the row is there", async () => {
    const { key, value } = uplinkRow(edge, "up0");
    const change = (...words: readonly string[]) => edge.server.run(["bpftool", "map", ...words]);
    expect(await sentFromXdp()).toBeGreaterThan(10);
    change("delete", "pinned", UPLINKS, ...key);
    const meanwhile = await sentFromXdp();
    change("update", "pinned", UPLINKS, ...key, ...value);
    expect(meanwhile).toBe(0);
    expect(await sentFromXdp()).toBeGreaterThan(10);
  });

  test("a device of another kind than veth sends back what came by it, as its row says", async () => {
    const address = "02:00:00:00:07:02";
    edge.server.ip(["tuntap add mode tap name up2", `link set up2 address ${address} addrgenmode none up`]);
    edge.server.run(["sysctl", "-q", "-w", "net.ipv4.conf.up2.rp_filter=0"]);
    const bundle = edge.bundle("xdp-of-three-uplinks", sending("xdp"));
    await edge.server.apply(bundle, { ...NODE, uplinks: [...NODE.uplinks, "up2"] });
    const found = uplinkRow(edge, "up2", true);
    const shown = ["bpftool", "-j", "map", "lookup", "pinned", UPLINKS, ...found.key];
    const { value }: { value: readonly string[] } = JSON.parse(edge.server.run(shown));
    expect(known()).toHaveLength(3);
    expect(value.map((byte) => byte.replace("0x", ""))).toEqual(found.value.slice(2));
    await edge.server.apply(bundle, NODE);
    edge.server.ip(["link del up2"]);
    expect(known()).toHaveLength(2);
  });

  test("a row of an uplink that is not its own is missed, and the next apply puts it right", async () => {
    const bundle = edge.bundle("xdp-mended", sending("xdp"));
    // Of a device that is gone, and made anew has another number.
    const gone = [
      "key",
      "hex",
      "77",
      "77",
      "00",
      "00",
      "value",
      "hex",
      ...("020000000909".match(/../g) ?? []),
      "00",
      "00",
    ];
    edge.server.run(["bpftool", "map", "update", "pinned", UPLINKS, ...gone]);
    expect(known()).toHaveLength(3);
    edge.server.ip(["link set up0 down", "link set up0 address 02:00:00:00:07:07", "link set up0 up"]);
    const { node } = await edge.server.status();
    expect(node.drift).toEqual(["uplink up0 known to XDP"]);
    await edge.server.apply(bundle, NODE);
    expect((await edge.server.status()).node.drift).toEqual([]);
    expect(known()).toHaveLength(2);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseGre } from "../../runtime/gre/choose.js";
import type { GreDriver } from "../../runtime/gre/driver.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, FTP, FTP6, NODE, type RunningScript } from "../support/acme-edge.js";
import { ATTEMPTS, InteropLine } from "../support/interop-table.js";
import { tunnel } from "../support/ir.js";
import { PATIENCE } from "../support/patience.js";

/**
 * Our GRE in BPF at one end of a tunnel and the kernel's device at the other, with all that a policy loads between them: what one
 * sends, the other must take. The kernel's device at both ends is the control. A kernel without GRE devices has only ours.
 */

/** An emulated machine moves less than one a second. */
const MEGABYTES = PATIENCE > 1 ? 2 : 5;
const CLIENT = "192.0.2.7";
const CLIENT6 = "2001:db8:1::7";

/** The router's address outside, where tunnels are over IPv6. */
const ROUTER6 = "2001:db8:c::1";

function over(remote: string): Pick<Tunnel, "remote"> {
  return { remote: tunnel("", remote).remote };
}

type Driver = GreDriver["name"];
type Row = readonly [edge: Driver, router: Driver, kind: string];

const HAS_DEVICES = (await chooseGre()) === "kernel";

/** Of each kind what its tunnels are, with the MTU that its headers leave. */
const KINDS: Readonly<Record<string, Partial<Tunnel>>> = {
  ...(HAS_DEVICES && { "GRE over IPv4": { mtu: 1476 } }),
  "GRE over IPv4 with a key": { key: 7, mtu: 1472 },
  "GRE over IPv6 with a key": { ...over(ROUTER6), key: 7, mtu: 1452 },
  "IP in IPv4": { kind: "ipip", mtu: 1480 },
  "IP in IPv6": { ...over(ROUTER6), kind: "ipip", mtu: 1460 },
};

const ENDS: readonly (readonly [edge: Driver, router: Driver])[] = HAS_DEVICES
  ? [
      ["ebpf", "kernel"],
      ["kernel", "ebpf"],
    ]
  : [["ebpf", "ebpf"]];
const ROWS: readonly Row[] = [
  ...Object.keys(KINDS).flatMap((kind) => ENDS.map((ends): Row => [...ends, kind])),
  ...(HAS_DEVICES ? [["kernel", "kernel", "GRE over IPv4"] as const] : []),
];

describe.each(ROWS)("%s at the edge, %s at the router, %s", (edgeDriver, routerDriver, kind) => {
  const through = { ...CHICAGO, ...KINDS[kind] };
  let line: InteropLine;
  let edge: AcmeEdge;
  let echo: RunningScript;

  beforeAll(async () => {
    line = new InteropLine({ edge: edgeDriver, router: routerDriver, tunnel: kind }, ATTEMPTS);
    edge = await AcmeEdge.start({
      router: routerDriver,
      tunnel: through,
      noGreDevices: edgeDriver === "ebpf",
    });
    const firewall = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
    await edge.server.apply(edge.bundle("open", acme({ firewall, tunnels: [through] })), NODE);
    echo = await edge.startEcho();
  });

  afterAll(async () => {
    await echo?.end();
    await edge?.server.end();
  });

  /** What ping(8) prints; its exit code says less. */
  const ping = (from: string, options: string) =>
    edge.server.run(["sh", "-c", `ping -n -i 0.01 -W ${5 * PATIENCE} ${options} || true`], {
      namespace: from,
    });

  // First of all, before anybody has learned what fits.
  test.each<["IPv4" | "IPv6", string, string]>([
    ["IPv4", `-s 1472 ${FTP}`, `From 198.18.0.1 icmp_seq=1 Frag needed and DF set (mtu = ${through.mtu})`],
    ["IPv6", `-s 1452 ${FTP6}`, `From 2001:db8:ed6e::1 icmp_seq=1 Packet too big: mtu=${through.mtu}`],
  ])("%s that is too big is answered, and the longest that fits arrives", (family, options, answer) => {
    expect(ping("client", `-c 1 -M do ${options}`)).toContain(answer);
    const header = family === "IPv4" ? 28 : 48;
    const fits = options.replace(/\d+ /, `${through.mtu - header} `);
    expect(ping("client", `-c 2 -M do ${fits}`)).toContain("2 received");
    line.tell(family, "too big", `mtu ${through.mtu}`);
  });

  test.each<["IPv4" | "IPv6", string, string, string]>([
    ["IPv4", "client", FTP, "→"],
    ["IPv4", "site", CLIENT, "←"],
    ["IPv6", "client", FTP6, "→"],
    ["IPv6", "site", `-I ${FTP6} ${CLIENT6}`, "←"],
  ])("%s: whole and in fragments, from the %s", (family, from, to, direction) => {
    expect(ping(from, `-c 3 ${to}`)).toContain("3 received");
    expect(ping(from, `-c 3 -s 4000 -M dont ${to}`)).toContain("3 received");
    for (const what of ["ping", "fragments"] as const) line.tell(family, what, direction);
  });

  test.each<["IPv4" | "IPv6", string]>([
    ["IPv4", FTP],
    ["IPv6", FTP6],
  ])(`${MEGABYTES} MB of TCP over %s there and back`, (family, host) => {
    const milliseconds = edge.script(
      "client",
      `const { createHash, randomBytes } = require("crypto");
       const bytes = randomBytes(${MEGABYTES}e6), hash = createHash("sha256"), start = performance.now();
       const socket = require("net").connect(21, "${host}", () => socket.end(bytes));
       socket.setTimeout(${15_000 * PATIENCE}, () => socket.destroy(new Error("it stalled")));
       socket.on("data", (chunk) => hash.update(chunk));
       socket.on("end", () => {
         const same = createHash("sha256").update(bytes).digest("hex") === hash.digest("hex");
         console.log(same ? Math.round(performance.now() - start) : "other bytes");
       });`,
    );
    expect(milliseconds).toMatch(/^\d+\n$/);
    line.tell(family, "TCP", `${MEGABYTES} MB →←`);
  });

  test("and the edge did GRE as was asked for, without losing a packet in the tunnel", async () => {
    const { node, customers } = await edge.server.status();
    expect(node.gre).toBe(edgeDriver);
    expect(customers[0].tunnels).toMatchObject([{ driver: edgeDriver, dropped: { packets: 0 } }]);
  });
});

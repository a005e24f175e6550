import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseGre } from "../../runtime/gre/choose.js";
import type { GreDriver } from "../../runtime/gre/driver.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, FTP, FTP6, NODE, type RunningScript } from "../support/acme-edge.js";
import { tunnel } from "../support/ir.js";
import { addNarrowPath, EDGE_END, INNER, ROUTER_END, setPath } from "../support/narrow-path.js";
import { PATIENCE } from "../support/patience.js";

/**
 * Less fits between the edge and Acme's router than the tunnel was said to carry, and still less into the network behind:
 * client – edge – near ═ far – router (GRE) site – inner. Nobody is told but by ICMP.
 */

/** MEGABYTES=200 is the long run. */
const MEGABYTES = Number(process.env["MEGABYTES"] ?? 3);
const CLIENT = { 4: "192.0.2.7", 6: "2001:db8:1::7" } as const;
const SITE = { 4: FTP, 6: FTP6 } as const;
/** Between the two routers. */
const PATH = 1400;
const MSS = { 4: 1432, 6: 1412 };

/** Of each kind of tunnel, and the bytes that it puts before a packet. */
const KINDS: Readonly<Record<string, { readonly through: Partial<Tunnel>; readonly outer: number }>> = {
  "GRE over IPv4": { through: { key: 7, mtu: 1472, mss: MSS }, outer: 28 },
  "GRE over IPv6": { through: { remote: tunnel("", ROUTER_END.own[6]).remote, mtu: 1456 }, outer: 44 },
  "IP in IPv4": { through: { kind: "ipip", mtu: 1480 }, outer: 20 },
};

type Driver = GreDriver["name"];

const DRIVERS: readonly Driver[] = (await chooseGre()) === "kernel" ? ["kernel", "ebpf"] : ["ebpf"];

class NarrowEdge {
  private constructor(
    readonly edge: AcmeEdge,
    readonly driver: Driver,
    private readonly scripts: readonly RunningScript[],
  ) {}

  static async start(driver: Driver, through: Tunnel): Promise<NarrowEdge> {
    const edge = await AcmeEdge.start({ router: driver, tunnel: through, noGreDevices: driver === "ebpf" });
    addNarrowPath(edge);
    setPath(edge, { path: PATH, inner: 1300 });
    const firewall = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
    await edge.server.apply(edge.bundle("open", acme({ firewall, tunnels: [through] })), NODE);
    const scripts = await Promise.all(["site", "inner"].map((namespace) => edge.startEcho(namespace)));
    for (const namespace of WATCHED) edge.server.run(["nft", "-f", "-"], { namespace, input: WATCH });
    return new NarrowEdge(edge, driver, scripts);
  }

  async end(): Promise<void> {
    for (const script of this.scripts) await script.end();
    await this.edge.server.end();
  }

  /** What ping(8) prints; its exit code says less. */
  ping(namespace: string, options: string): string {
    const argv = ["sh", "-c", `ping -n -i 0.01 -W ${PATIENCE} ${options} || true`];
    return this.edge.server.run(argv, { namespace });
  }

  /** Hosts keep what they have been told. */
  forget(namespace: string): void {
    const argv = ["sh", "-c", "ip -4 route flush cache; ip -6 route flush cache"];
    this.edge.server.run(argv, { namespace });
  }

  /** What the ends of the tunnel know hangs on their routes to each other, and outlives a flush of the cache. */
  forgetAll(): void {
    for (const namespace of ["client", "site", "inner"]) this.forget(namespace);
    for (const { namespace, routes } of [EDGE_END, ROUTER_END])
      this.edge.server.ip(
        routes.flatMap((route) => [`route del ${route}`, `route add ${route}`]),
        namespace,
      );
  }

  counted(namespace: string, name: string): number {
    const argv = ["nft", "-j", "list", "counter", "inet", "watch", name];
    const { nftables } = JSON.parse(this.edge.server.run(argv, { namespace })) as {
      readonly nftables: readonly { readonly counter?: { readonly packets: number } }[];
    };
    return nftables.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
  }

  /** Packets that came to the narrow link and do not fit. */
  longOnes(): number {
    return this.counted("near", "long") + this.counted("far", "long");
  }

  fragments(): readonly number[] {
    return WATCHED.map((namespace) => this.counted(namespace, "fragments"));
  }
}

const ROWS = DRIVERS.flatMap((driver) => Object.keys(KINDS).map((kind) => [driver, kind] as const));

describe.each(ROWS)("a narrow path, GRE by the %s driver, %s", (driver, kind) => {
  const { through, outer } = KINDS[kind] ?? { through: {}, outer: 0 };
  const fits = PATH - outer;
  let narrow: NarrowEdge;

  beforeAll(async () => {
    narrow = await NarrowEdge.start(driver, { ...CHICAGO, ...through });
  });

  afterAll(() => narrow?.end());

  test.each([
    ["IPv4", "client", SITE[4], 28, `Frag needed and DF set (mtu = ${fits})`],
    ["IPv6", "client", SITE[6], 48, `Packet too big: mtu=${fits}`],
    ["IPv4", "site", CLIENT[4], 28, `Frag needed and DF set (mtu = ${fits})`],
    ["IPv6", "site", `-I ${SITE[6]} ${CLIENT[6]}`, 48, `Packet too big: mtu=${fits}`],
  ] as const)(
    "%s from the %s: the first packet is answered, and the tunnel's end knows from then on",
    (_family, from, to, headers, answer) => {
      const line = `-c 1 -M do -s ${fits + 1 - headers} ${to}`;
      narrow.forgetAll();
      const sent = narrow.longOnes();
      const first = narrow.ping(from, line);
      // The kernel's devices pass nothing on: the first packet tells them alone.
      if (driver === "ebpf") expect(first).toContain(`icmp_seq=1 ${answer}`);
      expect(narrow.longOnes()).toBe(sent + 1);
      narrow.forget(from);
      expect(narrow.ping(from, line)).toContain(`icmp_seq=1 ${answer}`);
      expect(narrow.longOnes()).toBe(sent + 1);
      expect(narrow.ping(from, `-c 1 -M do -s ${fits - headers} ${to}`)).toContain("1 received");
    },
  );

  test.each([4, 6] as const)(
    "IPv%s: an answer has a right checksum, whoever fills in that of the packet that it quotes",
    async (family) => {
      const { server } = narrow.edge;
      narrow.ping("client", `-c 1 -M do -s 1400 ${SITE[family]}`);
      narrow.forget("client");
      server.run(["ethtool", "-K", "up0", "tx", "off"]);
      narrow.edge.script(
        "client",
        `const s = require("dgram").createSocket("udp${family}"); s.send("x".repeat(1400), 9, "${SITE[family]}", () => s.close());`,
      );
      const known = () =>
        server.run(["ip", `-${family}`, "route", "get", SITE[family]], { namespace: "client" });
      await expect.poll(known, { timeout: 2000 * PATIENCE }).toContain(`mtu ${fits}`);
      server.run(["ethtool", "-K", "up0", "tx", "on"]);
    },
  );

  if (through.mss) describe("TCP", () => bulk(() => narrow));
});

function bulk(narrow: () => NarrowEdge): void {
  const rates: Record<string, string> = {};
  afterAll(() => console.table({ [narrow().driver]: rates }));

  test.each([
    ["IPv4 to the site", SITE[4]],
    ["IPv6 to the site", SITE[6]],
    ["IPv4 to the network behind it", INNER[4]],
    ["IPv6 to the network behind it", INNER[6]],
  ])(`${MEGABYTES} MB there and back, whole: %s`, (name, host) => {
    narrow().forgetAll();
    const before = narrow().fragments();
    const milliseconds = narrow().edge.script("client", transfer(host));
    expect(milliseconds).toMatch(/^\d+\n$/);
    expect(narrow().fragments()).toEqual(before);
    rates[name] = `${Math.round((2000 * MEGABYTES) / Number(milliseconds))} MB/s`;
  });

  // The site has said 1460, and 1440 of IPv6; the client what its uplink carries.
  test.each(["client", "site"])(
    "what opened these connections promised the %s what the policy says",
    (at) => {
      expect(narrow().counted(at, "promised")).toBeGreaterThanOrEqual(2);
      expect(narrow().counted(at, "over-promised")).toBe(0);
    },
  );
}

/** Sends megabytes to what sends them back, and prints the milliseconds that it took. */
function transfer(host: string): string {
  return `const { createHash, randomBytes } = require("crypto");
    const bytes = randomBytes(1e6), [sent, got] = [createHash("sha256"), createHash("sha256")];
    const start = performance.now(), socket = require("net").connect(21, "${host}");
    let left = ${MEGABYTES};
    const more = () => {
      while (left-- > 0) { sent.update(bytes); if (!socket.write(bytes)) return; }
      socket.end();
    };
    socket.on("connect", more); socket.on("drain", more);
    socket.setTimeout(${15_000 * PATIENCE}, () => socket.destroy(new Error("it stalled")));
    socket.on("data", (chunk) => got.update(chunk));
    socket.on("end", () => {
      console.log(sent.digest("hex") === got.digest("hex") ? Math.round(performance.now() - start) : "other bytes");
    });`;
}

const WATCHED = ["client", "near", "far", "site", "inner"] as const;

const WATCH = `
table inet watch {
	counter fragments {}
	counter long {}
	counter promised {}
	counter over-promised {}
	chain every {
		type filter hook prerouting priority -500
		ip frag-off & 0x3fff != 0 counter name fragments
		exthdr frag exists counter name fragments
		ip protocol { 4, 41, 47 } ip length > ${PATH} counter name long
		ip6 nexthdr 47 ip6 length > ${PATH - 40} counter name long
		meta nfproto ipv4 tcp option maxseg size ${MSS[4]} counter name promised
		meta nfproto ipv6 tcp option maxseg size ${MSS[6]} counter name promised
		meta nfproto ipv4 tcp option maxseg size > ${MSS[4]} counter name over-promised
		meta nfproto ipv6 tcp option maxseg size > ${MSS[6]} counter name over-promised
	}
}
`;

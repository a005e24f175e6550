import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseGre } from "../../runtime/gre/choose.js";
import type { GreDriver } from "../../runtime/gre/driver.js";
import { AcmeEdge, acme, CHICAGO, FTP, FTP6, NODE, type RunningScript } from "../support/acme-edge.js";
import { addNarrowPath, INNER, setPath } from "../support/narrow-path.js";
import { PATIENCE } from "../support/patience.js";

/**
 * Less fits between the edge and Acme's router than the tunnel was said to carry, and still less into the network behind:
 * client – edge – near ═ far – router (GRE) site – inner. Nobody is told but by ICMP.
 */

/** MEGABYTES=200 is the long run. */
const MEGABYTES = Number(process.env["MEGABYTES"] ?? 3);
const CLIENT = { 4: "192.0.2.7", 6: "2001:db8:1::7" } as const;
const SITE = { 4: FTP, 6: FTP6 } as const;
const TUNNEL = { ...CHICAGO, key: 7, mtu: 1472, mss: { 4: 1432, 6: 1412 } };
/** IPv4, GRE with a key. */
const OUTER = 28;
const NARROW = 1400 - OUTER;

const EDGE_END = { namespace: undefined, other: "198.51.100.1", route: "198.51.100.0/24 via 100.64.0.2" };
const ROUTER_END = { namespace: "router", other: "198.18.0.1", route: "default via 198.51.100.254" };

const EDGES: readonly GreDriver["name"][] = (await chooseGre()) === "kernel" ? ["kernel", "ebpf"] : ["ebpf"];

describe.each(EDGES)("a narrow path, GRE by the %s driver", (driver) => {
  const rates: Record<string, string> = {};
  let edge: AcmeEdge;
  const echoes: RunningScript[] = [];

  beforeAll(async () => {
    edge = await AcmeEdge.start({ router: driver, tunnel: TUNNEL, noGreDevices: driver === "ebpf" });
    addNarrowPath(edge);
    setPath(edge, { path: 1400, inner: 1300 });
    const firewall = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
    await edge.server.apply(edge.bundle("open", acme({ firewall, tunnels: [TUNNEL] })), NODE);
    for (const namespace of ["site", "inner"]) echoes.push(await edge.start(namespace, ECHO));
    for (const namespace of WATCHED) edge.server.run(["nft", "-f", "-"], { namespace, input: WATCH });
  });

  afterAll(async () => {
    console.table({ [driver]: rates });
    for (const echo of echoes) await echo.end();
    await edge?.server.end();
  });

  /** What ping(8) prints; its exit code says less. */
  const ping = (from: string, options: string) =>
    edge.server.run(["sh", "-c", `ping -n -i 0.2 -W ${2 * PATIENCE} ${options} || true`], {
      namespace: from,
    });

  /** Hosts keep what they have been told. */
  const forget = (namespace: string) => {
    for (const family of ["-4", "-6"])
      edge.server.run(["ip", family, "route", "flush", "cache"], { namespace });
  };

  /** What the ends of the tunnel know hangs on their routes to each other, and outlives a flush of the cache. */
  const forgetAll = () => {
    for (const namespace of ["client", "site", "inner"]) forget(namespace);
    for (const { namespace, route } of [EDGE_END, ROUTER_END])
      edge.server.ip([`route del ${route}`, `route add ${route}`], namespace);
  };

  const learned = ({ namespace, other }: typeof EDGE_END | typeof ROUTER_END) =>
    edge.server.run(["ip", "route", "get", other], namespace === undefined ? {} : { namespace });

  test.each([
    ["IPv4", "client", SITE[4], 28, `Frag needed and DF set (mtu = ${NARROW})`],
    ["IPv6", "client", SITE[6], 48, `Packet too big: mtu=${NARROW}`],
    ["IPv4", "site", CLIENT[4], 28, `Frag needed and DF set (mtu = ${NARROW})`],
    ["IPv6", "site", `-I ${SITE[6]} ${CLIENT[6]}`, 48, `Packet too big: mtu=${NARROW}`],
  ] as const)(
    "%s from the %s: the first packet is answered, and the tunnel's end knows from then on",
    (_family, from, to, headers, answer) => {
      const end = from === "client" ? EDGE_END : ROUTER_END;
      const line = `-c 1 -M do -s ${NARROW + 1 - headers} ${to}`;
      forgetAll();
      const sent = longOnes(edge);
      const first = ping(from, line);
      // The kernel's devices pass nothing on: the first packet tells them alone.
      if (driver === "ebpf") expect(first).toContain(`icmp_seq=1 ${answer}`);
      expect(longOnes(edge)).toBe(sent + 1);
      expect(learned(end)).toContain("mtu 1400");
      forget(from);
      expect(ping(from, line)).toContain(`icmp_seq=1 ${answer}`);
      expect(longOnes(edge)).toBe(sent + 1);
      expect(ping(from, `-c 2 -M do -s ${NARROW - headers} ${to}`)).toContain("2 received");
    },
  );

  test.each([
    ["IPv4 to the site", SITE[4]],
    ["IPv6 to the site", SITE[6]],
    ["IPv4 to the network behind it", INNER[4]],
    ["IPv6 to the network behind it", INNER[6]],
  ])(`${MEGABYTES} MB of TCP there and back, whole: %s`, (name, host) => {
    forgetAll();
    const before = WATCHED.map((namespace) => counted(edge, namespace, "fragments"));
    rates[name] = `${Math.round((2000 * MEGABYTES) / transfer(edge, host))} MB/s`;
    expect(WATCHED.map((namespace) => counted(edge, namespace, "fragments"))).toEqual(before);
  });

  // The site has said 1460, and 1440 of IPv6; the client what its uplink carries.
  test.each(["client", "site"])(
    "what opened these connections promised the %s what the policy says",
    (at) => {
      expect(counted(edge, at, "promised")).toBeGreaterThanOrEqual(2);
      expect(counted(edge, at, "over-promised")).toBe(0);
    },
  );
});

const counted = (edge: AcmeEdge, namespace: string, name: string): number => {
  const shown = edge.server.run(["nft", "-j", "list", "counter", "inet", "watch", name], { namespace });
  const { nftables } = JSON.parse(shown) as { nftables: readonly { counter?: { packets: number } }[] };
  return nftables.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
};

/** GRE packets that came to the narrow link and do not fit. */
const longOnes = (edge: AcmeEdge) => counted(edge, "near", "long") + counted(edge, "far", "long");

/** Bytes to the host and back; the milliseconds it took. */
function transfer(edge: AcmeEdge, host: string): number {
  const milliseconds = edge.script(
    "client",
    `const { createHash, randomBytes } = require("crypto");
     const bytes = randomBytes(1e6), [sent, got] = [createHash("sha256"), createHash("sha256")];
     const start = performance.now(), socket = require("net").connect(21, "${host}");
     let left = ${MEGABYTES};
     const more = () => {
       for (; left > 0; left--) { sent.update(bytes); if (!socket.write(bytes)) { left--; return; } }
       socket.end();
     };
     socket.on("connect", more); socket.on("drain", more);
     socket.setTimeout(${15_000 * PATIENCE}, () => socket.destroy(new Error("it stalled")));
     socket.on("data", (chunk) => got.update(chunk));
     socket.on("end", () => {
       console.log(sent.digest("hex") === got.digest("hex") ? Math.round(performance.now() - start) : "other bytes");
     });`,
  );
  expect(milliseconds).toMatch(/^\d+\n$/);
  return Number(milliseconds);
}

const ECHO = `require("net").createServer({ allowHalfOpen: true }, (s) => s.pipe(s)).listen(21, "::", () => console.log("ready"));`;

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
		ip protocol 47 ip length > 1400 counter name long
		meta nfproto ipv4 tcp option maxseg size ${TUNNEL.mss[4]} counter name promised
		meta nfproto ipv6 tcp option maxseg size ${TUNNEL.mss[6]} counter name promised
		meta nfproto ipv4 tcp option maxseg size > ${TUNNEL.mss[4]} counter name over-promised
		meta nfproto ipv6 tcp option maxseg size > ${TUNNEL.mss[6]} counter name over-promised
	}
}
`;

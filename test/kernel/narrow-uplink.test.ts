import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { formatAddress } from "../../src/compiler/ir/address.js";
import type { Tunnel } from "../../src/compiler/ir/policy.js";
import { AcmeEdge, acme, CHICAGO, FTP, FTP6, NODE } from "../support/acme-edge.js";
import { writeEdge } from "../support/daemon.js";
import { tunnel } from "../support/ir.js";
import { PATIENCE } from "../support/patience.js";

/** A tunnel was said to carry what an uplink of 1500 bytes would, and the uplink carries less. Tidegate's programs do GRE. */

const UPLINK = 1400;
const FITS = UPLINK - 24;

const NOWHERE = tunnel("nowhere", "203.0.114.1", { mtu: 9000 });

let edge: AcmeEdge;

beforeAll(async () => {
  edge = await AcmeEdge.start({ router: "ebpf", noGreDevices: true });
  setUplink(UPLINK);
  await edge.server.apply(bundle("first", [CHICAGO, NOWHERE]), NODE);
});

afterAll(() => edge?.server.end());

function setUplink(mtu: number): void {
  edge.server.ip([`link set up1 mtu ${mtu}`]);
  edge.server.ip([`link set eth0 mtu ${mtu}`], "router");
}

function bundle(name: string, tunnels: readonly Tunnel[]): string {
  const firewall = { default: "allow", rules: [], stateful: false, offload: "auto" } as const;
  return edge.bundle(name, acme({ firewall, tunnels }));
}

/** Each of another kind, as wide as fits and a byte wider; and one to where nothing leads. */
const KINDS: readonly (readonly [what: Partial<Tunnel> & { readonly to?: string }, outer: number])[] = [
  [{ kind: "gre" }, 24],
  [{ kind: "gre", key: 7 }, 28],
  [{ kind: "ipip" }, 20],
  [{ kind: "gre", to: "2001:db8:c::" }, 44],
  [{ kind: "gre", key: 9, to: "2001:db8:c::" }, 48],
  [{ kind: "ipip", to: "2001:db8:c::" }, 40],
];

const CHICAGOS = formatAddress(CHICAGO.remote);

const raise = (needed: number, device = "up1") => `raise the MTU of \`${device}\` to ${needed}`;

const tooLong = (name: string, needed: number, way: string, carries: number) =>
  `tunnel \`${name}\` makes packets of up to ${needed} bytes, and ${way}, by which they leave, carries ${carries}`;

const warned = (name: string, needed: number, outer: number, uplink = UPLINK, device = "up1") => ({
  code: "TG9022",
  message: tooLong(name, needed, `\`${device}\``, uplink),
  hint: `${raise(needed, device)}, or say \`mtu: ${uplink - outer}\` for the tunnel`,
});

test("a change says which tunnels are to carry more than fits, and no others", async () => {
  const made = KINDS.flatMap(([{ to = "198.51.100.", ...what }, outer], index) =>
    [0, 1].map((more) =>
      tunnel(`t${index}-${more}`, `${to}${20 + 2 * index + more}`, { ...what, mtu: UPLINK - outer + more }),
    ),
  );
  const applied = await edge.server.apply(bundle("kinds", [CHICAGO, ...made, NOWHERE]), NODE);
  expect(applied["warnings"]).toEqual([
    warned("chicago", CHICAGO.mtu + 24, 24),
    ...KINDS.map(([, outer], index) => warned(`t${index}-1`, UPLINK + 1, outer)),
  ]);
});

test("the command prints it, and what is in force all the same", () => {
  const node = writeEdge(join(edge.server.folder, "edge.ts"), NODE);
  const words = ["apply", bundle("plain", [CHICAGO]), "--edge", node];
  const [command, ...args] = edge.server.enter([join(packageRoot(), "dist/bin/tidegate.js"), ...words]);
  // Else it would write in colours where a CI is said to read.
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", env });
  const { message, hint } = warned("chicago", 1500, 24);
  expect(stderr).toContain(`warning[TG9022]: ${message}\n  hint: ${hint}\n`);
  expect(stdout).toMatch(/^ok acme generation \d+ \w+: in force\n$/);
  expect(status).toBe(0);
});

test.each([
  ["that must not be cut up", "do", 0, 0],
  ["that may be", "dont", 3, 5],
])("who sends a packet %s is told what fits", (_what, fragments, least, most) => {
  edge.server.run(["ip", "route", "flush", "cache"], { namespace: "client" });
  const ping = `ping -n -M ${fragments} -s 1420 -i 0.2 -W ${PATIENCE} -c 5 ${FTP} || true`;
  const said = edge.server.run(["sh", "-c", `${ping} 2>&1`], { namespace: "client" });
  expect(said).toContain(`From ${FTP} icmp_seq=1 Frag needed and DF set (mtu = ${FITS})`);
  // Linux cuts up what it may as soon as it knows; and the answer goes the same way back.
  const arrived = Number(/(\d+) received/.exec(said)?.[1]);
  expect(arrived).toBeGreaterThanOrEqual(least);
  expect(arrived).toBeLessThanOrEqual(most);
});

test("IPv6 that no sender can make shorter is not answered", () => {
  setUplink(1280);
  const ping = (payload: number) => {
    const said = `ping -n -6 -M do -s ${payload} -W 1 -c 1 ${FTP6} 2>&1 || true`;
    return edge.server.run(["sh", "-c", said], { namespace: "client" });
  };
  expect(ping(1233)).toContain("Packet too big: mtu=1280");
  expect(ping(1232)).not.toContain("Packet too big");
});

describe("where the uplink carries it", () => {
  beforeAll(() => setUplink(1500));

  test("nothing is said", async () => {
    const applied = await edge.server.apply(bundle("plain", [CHICAGO]), NODE);
    expect(applied).toMatchObject({ warnings: [] });
  });

  test.each([
    [CHICAGOS, "dev up1 mtu 1400", 1400, 24],
    [CHICAGOS, "dev up1 mtu lock 1400", 1400, 24],
    ["2001:db8:c::1", "dev up1 metric 1 mtu 1400", 1400, 44],
  ])("but the route to %s is of `%s`, it is said of the route", async (remote, words, mtu, outer) => {
    const route = `route add ${remote} ${words}`;
    const wide = tunnel("chicago", remote, { mtu: 1500 - outer });
    edge.server.ip([route]);
    const narrow = await edge.server.apply(bundle("routed", [wide]), NODE);
    edge.server.ip([route.replace("add", "del")]);
    expect(narrow["warnings"]).toEqual([
      {
        code: "TG9022",
        message: tooLong("chicago", 1500, `the route to ${remote} by \`up1\``, mtu),
        hint: `raise the route's \`mtu\` to 1500, or say \`mtu: ${mtu - outer}\` for the tunnel`,
      },
    ]);
    expect(await edge.server.apply(bundle("routed", [wide]), NODE)).toMatchObject({ warnings: [] });
  });

  describe("but not in IPv6", () => {
    const NAME = "net/ipv6/conf/up1/mtu";
    const FAR = "2001:db8:c::1";
    const CARRIES = 1330;
    const fits = tunnel("fits", "2001:db8:c::2", { mtu: CARRIES - 44 });
    const wide = tunnel("wide", FAR, { mtu: 1400 });

    beforeAll(() => void edge.server.run(["sysctl", "-q", "-w", `${NAME}=${CARRIES}`]));
    afterAll(() => void edge.server.run(["sysctl", "-q", "-w", `${NAME}=1500`]));

    test("it is said of tunnels whose other end is of IPv6", async () => {
      const { warnings } = await edge.server.apply(bundle("sixth", [CHICAGO, fits, wide]), NODE);
      expect(warnings).toEqual([
        {
          code: "TG9022",
          message: tooLong("wide", 1444, "`up1`", CARRIES),
          hint: `raise \`${NAME}\` to 1444, or say \`mtu: ${CARRIES - 44}\` for the tunnel`,
        },
      ]);
    });

    test("its name is one that sysctl(8) takes, also where the device's has a dot", async () => {
      const name = "net/ipv6/conf/up1.100/mtu";
      const set = (mtu: number) => void edge.server.run(["sysctl", "-q", "-w", `${name}=${mtu}`]);
      // Named as a VLAN's device is: not every kernel here has those.
      edge.server.ip(["link add up1.100 type veth peer name far100", "link set far100 up"]);
      edge.server.ip(["link set up1.100 up", `route add ${FAR} dev up1.100 metric 1`]);
      set(CARRIES);
      const said = await edge.server.apply(bundle("tagged", [CHICAGO, wide]), NODE);
      set(1444);
      const mended = await edge.server.apply(bundle("tagged", [CHICAGO, wide]), NODE);
      edge.server.ip(["link del up1.100"]);
      const hint = `raise \`${name}\` to 1444, or say \`mtu: ${CARRIES - 44}\` for the tunnel`;
      expect(said["warnings"]).toMatchObject([{ code: "TG9022", hint }]);
      expect(mended["warnings"]).toEqual([]);
    });

    test("a route's own counts in its place, but no more than the device carries", async () => {
      const route = (mtu: number, verb = "add") => `route ${verb} ${FAR} dev up1 metric 1 mtu ${mtu}`;
      edge.server.ip([route(1450)]);
      const { warnings } = await edge.server.apply(bundle("seventh", [CHICAGO, fits, wide]), NODE);
      edge.server.ip([route(1450, "del")]);
      expect(warnings).toEqual([]);
    });

    test("and what is longer than the device carries is said of the device, which sets both", async () => {
      const wider = tunnel("wider", FAR, { mtu: 1600 });
      const { warnings } = await edge.server.apply(bundle("eighth", [CHICAGO, wider]), NODE);
      expect(warnings).toEqual([
        {
          code: "TG9022",
          message: tooLong("wider", 1644, "`up1`", CARRIES),
          hint: `${raise(1644)}, or say \`mtu: ${CARRIES - 44}\` for the tunnel`,
        },
      ]);
    });
  });

  test("but both the device and the route to there are narrow, it is said of both", async () => {
    const route = `route add ${CHICAGOS} dev up1 mtu 1350`;
    setUplink(1400);
    edge.server.ip([route]);
    const { warnings } = await edge.server.apply(bundle("plain", [CHICAGO]), NODE);
    setUplink(1500);
    edge.server.ip([route.replace("add", "del")]);
    expect(warnings).toEqual([
      {
        code: "TG9022",
        message: tooLong("chicago", 1500, `the route to ${CHICAGOS} by \`up1\``, 1350),
        hint: "raise the route's `mtu` and the MTU of `up1` to 1500, or say `mtu: 1326` for the tunnel",
      },
    ]);
  });

  test.each([
    ["mtu lock 1400", "Frag needed and DF set (mtu = 1376)"],
    ["mtu 1400", " 1 received"],
  ])("Tidegate's programs go by a route of IPv4 where that is fixed: `%s`", (mtu, expected) => {
    const route = `route add ${CHICAGOS} dev up1 ${mtu}`;
    edge.server.ip([route]);
    edge.server.run(["ip", "route", "flush", "cache"], { namespace: "client" });
    const ping = `ping -n -M do -s 1420 -W ${PATIENCE} -c 1 ${FTP} 2>&1 || true`;
    const said = edge.server.run(["sh", "-c", ping], { namespace: "client" });
    edge.server.ip([route.replace("add", "del")]);
    expect(said).toContain(expected);
  });

  test("what a router said of the path is none of the route's", async () => {
    const [far = "", further = ""] = ["198.18.200.1", `route add 198.18.200.0/24 via ${CHICAGOS}`];
    edge.server.ip(
      ["link add far type veth peer name farther", "link set far mtu 1300 up", "link set farther up"],
      "router",
    );
    edge.server.ip(["route add 198.18.200.0/24 dev far"], "router");
    edge.server.ip([further]);
    edge.server.run(["sh", "-c", `ping -n -M do -s 1400 -W 1 -c 1 ${far} || true`]);
    expect(edge.server.run(["ip", "route", "get", far])).toMatch(/ mtu 1300/);
    const { warnings } = await edge.server.apply(bundle("further", [CHICAGO, tunnel("further", far)]), NODE);
    edge.server.ip([further.replace("add", "del")]);
    expect(warnings).toEqual([]);
  });

  test("but packets from the anycast address leave by another, it is said of that one", async () => {
    narrowWays(1303);
    edge.server.ip(["rule add from 198.18.0.1 lookup 50", "route add default dev narrow-a table 50"]);
    const applied = await edge.server.apply(bundle("plain", [CHICAGO]), NODE);
    // IPv6, which the customer has, is to have 1280 bytes in a tunnel.
    const { message } = warned("chicago", 1500, 24, 1303, "narrow-a");
    const hint = raise(1500, "narrow-a");
    expect(applied).toMatchObject({ warnings: [{ code: "TG9022", message, hint }] });
    narrowWays(1304);
    const { warnings } = await edge.server.apply(bundle("plain", [CHICAGO]), NODE);
    expect(warnings).toEqual([warned("chicago", 1500, 24, 1304, "narrow-a")]);
    edge.server.ip(["rule del from 198.18.0.1 lookup 50"]);
  });

  test("of several ways it is the one that the tunnel's packets take", async () => {
    narrowWays(1400);
    const many = Array.from({ length: 12 }, (_, index) => tunnel(`m${index}`, `203.0.114.${index + 1}`));
    edge.server.ip(["route add 203.0.114.0/24 nexthop dev narrow-a nexthop dev wide"]);
    const { warnings } = await edge.server.apply(bundle("many", [CHICAGO, ...many]), NODE);
    const narrow = many.filter(({ remote }) =>
      edge.server
        .run(["ip", "route", "get", formatAddress(remote), "from", "198.18.0.1"])
        .includes("narrow-a"),
    );
    expect(warnings).toEqual(narrow.map(({ name }) => warned(name, 1500, 24, 1400, "narrow-a")));
    expect([0, many.length]).not.toContain(narrow.length);
  });
});

function narrowWays(mtu: number): void {
  edge.server.run(["sh", "-c", "ip link add narrow-a type veth peer name wide || true"]);
  edge.server.ip(["link set wide up", `link set narrow-a mtu ${mtu} up`]);
}

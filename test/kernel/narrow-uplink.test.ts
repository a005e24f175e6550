import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
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

const warned = (name: string, needed: number, outer: number) => ({
  code: "TG9022",
  message: `tunnel \`${name}\` makes packets of up to ${needed} bytes, and \`up1\`, by which they leave, carries ${UPLINK}`,
  hint: `raise the MTU of \`up1\` to ${needed}, or say \`mtu: ${UPLINK - outer}\` for the tunnel`,
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
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  const { message, hint } = warned("chicago", 1500, 24);
  expect(stderr).toContain(`warning[TG9022]: ${message}\n  hint: ${hint}\n`);
  expect(stdout).toMatch(/^ok acme generation \d+ \w+: in force\n$/);
  expect(status).toBe(0);
});

test.each([
  ["that must not be cut up", "do", 0],
  ["that may be", "dont", 3],
])("who sends a packet %s is told what fits", (_what, fragments, arrive) => {
  edge.server.run(["ip", "route", "flush", "cache"], { namespace: "client" });
  const ping = `ping -n -M ${fragments} -s 1420 -i 0.2 -W ${PATIENCE} -c 5 ${FTP} || true`;
  const said = edge.server.run(["sh", "-c", `${ping} 2>&1`], { namespace: "client" });
  expect(said).toContain(`From ${FTP} icmp_seq=1 Frag needed and DF set (mtu = ${FITS})`);
  // Linux cuts up what it may as soon as it knows; and the answer goes the same way back.
  expect(Number(/(\d+) received/.exec(said)?.[1])).toBeGreaterThanOrEqual(arrive);
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

test("where the uplink carries it, nothing is said", async () => {
  setUplink(1500);
  const applied = await edge.server.apply(bundle("plain", [CHICAGO]), NODE);
  expect(applied).toMatchObject({ warnings: [] });
});

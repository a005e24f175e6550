import { describe, expect, test } from "vitest";
import { blackholesOf } from "../../runtime/customer/blackholes.js";
import { liveLines, replacements, routesInto } from "../../runtime/health/live-lines.js";
import { after, type Life, startingAs } from "../../runtime/health/liveness.js";
import { askedBy, deadAmong, type Lives, lifeOf, livesAfter } from "../../runtime/health/lives.js";
import { nonceIn, OPENING, probeBytes } from "../../runtime/health/probe-packet.js";
import { parsePrefix } from "../../runtime/prefix.js";
import { type NoLiveTunnel, PROBE_MAGIC, type Tunnel } from "../../src/compiler/ir/policy.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { summarize } from "../../src/compiler/semantics/packet-summary.js";
import { manifestSchema } from "../../src/targets/manifest.js";
import { tunnels } from "../../src/targets/route/tunnels.js";
import { acme, CHICAGO } from "../support/acme-edge.js";
import { MANIFEST } from "../support/tiny-bundle.js";

describe("what is thought of a router", () => {
  /** `+` is an answer, `-` a loss. */
  function think(life: Life, results: string, thresholds = { up: 2, down: 3 }): Life {
    const steps = [...results].map((one) => one === "+");
    return steps.reduce((now, answered) => after(now, answered, thresholds), startingAs(life)).life;
  }

  test.each<[Life, string, Life]>([
    ["unknown", "", "unknown"],
    ["unknown", "+", "unknown"],
    ["unknown", "++", "live"],
    ["unknown", "--", "unknown"],
    ["unknown", "---", "dead"],
    ["unknown", "--+--", "unknown"],
    ["live", "--", "live"],
    ["live", "--+--+--", "live"],
    ["live", "---", "dead"],
    ["dead", "+", "dead"],
    ["dead", "+-+-+-", "dead"],
    ["dead", "++", "live"],
    ["live", "---+", "dead"],
    ["live", "---++", "live"],
  ])("%s, then %s: %s", (before, results, expected) => {
    expect(think(before, results)).toBe(expected);
  });

  test("one of each is enough where the policy says so", () => {
    expect(think("live", "-", { up: 1, down: 1 })).toBe("dead");
    expect(think("live", "-+", { up: 1, down: 1 })).toBe("live");
  });
});

describe("what is known of a tunnel's router", () => {
  const health = {
    style: "request",
    target: CHICAGO.remote,
    interval: 1000,
    timeout: 1000,
    up: 3,
    down: 3,
  } as const;

  function rowOf(parts: Partial<Tunnel>) {
    const [row] = tunnels(acme({ tunnels: [{ ...CHICAGO, health, ...parts }] }));
    if (!row) throw new Error("a policy with a tunnel has its row");
    return row;
  }

  const before = rowOf({});
  const lives: Lives = {
    chicago: { asked: askedBy(before) ?? "", life: "dead", since: "2026-01-01T00:00:00Z" },
  };
  const target = { family: 4, value: CHICAGO.remote.value + 1n } as const;

  test.each<[string, Partial<Tunnel>, string | undefined]>([
    ["the same", {}, "dead"],
    ["asked more often", { health: { ...health, interval: 200 } }, "dead"],
    ["of another MTU", { mtu: 1400 }, "dead"],
    ["of another kind", { kind: "ipip" }, undefined],
    ["with a key", { key: 7 }, undefined],
    ["to another router", { remote: target }, undefined],
    ["asked for another", { health: { ...health, target } }, undefined],
    ["asked in the other style", { health: { ...health, style: "reply" } }, undefined],
    ["called otherwise", { name: "dallas" }, undefined],
  ])("%s", (_, parts, expected) => {
    expect(lifeOf(rowOf(parts), lives)?.life).toBe(expected);
  });
});

describe("what is known of a tunnel's router from now on", () => {
  const target = { family: 4, value: CHICAGO.remote.value } as const;
  const health = { style: "request", target, interval: 1000, timeout: 1000, up: 3, down: 3 } as const;
  const manifest = { tunnels: [...tunnels(acme({ tunnels: [{ ...CHICAGO, health }] }))] };
  const [row] = manifest.tunnels;
  const [then, now] = ["2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"];
  const known = (life: "live" | "dead", since: string): Lives => ({
    chicago: { asked: (row && askedBy(row)) ?? "", life, since },
  });

  test.each<[string, Lives, Life | undefined, Lives]>([
    ["nobody knows", {}, "unknown", {}],
    ["nobody asks", {}, undefined, {}],
    ["it dies", known("live", then), "dead", known("dead", now)],
    ["it is found dead first", {}, "dead", known("dead", now)],
    ["it is dead still", known("dead", then), "dead", known("dead", then)],
    ["it is dead, and nobody asks just now", known("dead", then), undefined, known("dead", then)],
    ["it lives again", known("dead", then), "live", known("live", now)],
    [
      "another one of its name is known",
      { chicago: { asked: "", life: "dead", since: then } },
      undefined,
      {},
    ],
  ])("%s", (_, before, life, expected) => {
    expect(livesAfter(manifest, before, () => life, now)).toEqual(expected);
    const isDead = expected["chicago"]?.life === "dead";
    expect([...deadAmong(manifest, expected)]).toEqual(isDead ? [row?.device] : []);
  });
});

describe("a probe", () => {
  const nonce = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

  test.each([
    ["request", "192.0.2.1", "198.51.100.1", "icmp 192.0.2.1 > 198.51.100.1 type=8 code=0"],
    ["reply", "203.0.113.1", "192.0.2.1", "icmp 203.0.113.1 > 192.0.2.1 type=0 code=0"],
    ["request", "2001:db8::1", "2001:db8:a::1", "icmp6 2001:db8::1 > 2001:db8:a::1 type=128 code=0"],
    ["reply", "2001:db8:a::1", "2001:db8::1", "icmp6 2001:db8:a::1 > 2001:db8::1 type=129 code=0"],
  ] as const)("%s from %s to %s", (style, source, destination, said) => {
    const bytes = probeBytes({ style, source, destination, nonce });
    const decoded = decode(bytes);
    expect(decoded.kind === "packet" && summarize(decoded.packet)).toContain(said);
    const payload = bytes.subarray(bytes.length - 56);
    expect(nonceIn(payload)).toBe(nonce.toString("hex"));
    expect(nonceIn(payload.subarray(1))).toBe(undefined);
    expect(nonceIn(payload.subarray(0, 23))).toBe(undefined);
  });

  test("of two families there is none", () => {
    const packet = { style: "request", source: "192.0.2.1", destination: "2001:db8::1", nonce } as const;
    expect(() => probeBytes(packet)).toThrow("there is no probe from 192.0.2.1 to 2001:db8::1");
  });
});

/** What lets answers back in knows them by this (src/targets/nft), and it is the runtime that sends it, which sees nothing of a policy. */
test("probes begin with what firewalls let back in", () => {
  const [source, destination] = ["192.0.2.1", "192.0.2.2"];
  const probe = probeBytes({ style: "request", source, destination, nonce: Buffer.alloc(16) });
  const [ip, icmp] = [20, 8];
  expect(probe.subarray(ip + icmp).toString("latin1", 0, PROBE_MAGIC.length)).toBe(PROBE_MAGIC);
  expect(Buffer.from(OPENING).toString("latin1", 0, PROBE_MAGIC.length)).toBe(PROBE_MAGIC);
});

describe("routes while tunnels are dead", () => {
  const nexthops = ["a", "b", "c"].map((name, index) => `nexthop add id ${index + 1} dev gre-${name}`);
  const SHARED =
    "nexthop add id 9 group 1,3/2,1/3,1 type resilient buckets 130 idle_timer 20 unbalanced_timer 60";
  const CLOSED = "route add blackhole 0.0.0.0/0 metric 4294967295 table 1000";
  const ALL = "route add 203.0.113.0/24 nhid 9 metric 101 table 1000";
  const A = "route add 203.0.113.0/25 dev gre-a metric 101 table 1000";
  const B = "route add 203.0.113.0/25 dev gre-b metric 201 table 1000";
  const ALONE = "route add 198.51.100.0/24 dev gre-a metric 101 table 1000";
  const table = [CLOSED, SHARED, ALL, A, B, ALONE];
  /** Nobody else stands in for what `a` alone has. */
  const CLOSED_ALONE = {
    line: "route add blackhole 198.51.100.0/24 metric 101 table 1000",
    prefix: parsePrefix("198.51.100.0/24"),
    devices: ["gre-a"],
  };

  function held(noLiveTunnel: NoLiveTunnel, ...dead: readonly string[]) {
    return liveLines({ nexthops, table }, new Set(dead.map((name) => `gre-${name}`)), noLiveTunnel);
  }

  const group = (members: string) => SHARED.replace("1,3/2,1/3,1", members);

  test.each<[readonly string[], readonly string[], readonly string[]]>([
    [[], table, []],
    [["a"], [CLOSED, group("2,1/3,1"), ALL, B, ALONE], [A]],
    [["b"], [CLOSED, group("1,3/3,1"), ALL, A, ALONE], [B]],
    // What is left for the shorter prefix is there for the longer one, too.
    [
      ["a", "b"],
      [CLOSED, group("3,1"), ALL, ALONE],
      [A, B],
    ],
    [["nobody"], table, []],
  ])("dead: %s", (dead, expected, left) => {
    expect(held("use", ...dead)).toEqual({ table: expected, left, closed: [] });
    const open = expected.map((line) => (line === ALONE && dead.includes("a") ? CLOSED_ALONE.line : line));
    expect(held("blackhole", ...dead)).toEqual({
      ...{ table: open, left },
      closed: dead.includes("a") ? [CLOSED_ALONE] : [],
    });
  });

  test("with all dead all are used, or each prefix is a blackhole at the metrics of its routes", () => {
    const all = ["a", "b", "c"];
    expect(held("use", ...all)).toEqual({ table, left: [], closed: [] });
    const { table: closed, left } = held("blackhole", ...all);
    expect(left).toEqual([]);
    expect(closed).toEqual([
      ...[CLOSED, SHARED],
      "route add blackhole 203.0.113.0/24 metric 101 table 1000",
      "route add blackhole 203.0.113.0/25 metric 101 table 1000",
      "route add blackhole 203.0.113.0/25 metric 201 table 1000",
      CLOSED_ALONE.line,
    ]);
  });

  test("a prefix that is closed is opened by any tunnel of its routes and of those to shorter ones, and since the last of them died", () => {
    const health = { style: "request", interval: 1000, timeout: 1000, up: 3, down: 3 } as const;
    const asked = { ...CHICAGO, health: { ...health, target: CHICAGO.remote } };
    const rows = tunnels(acme({ tunnels: ["a", "b", "c"].map((name) => ({ ...asked, name })) })).map(
      (row) => {
        return { ...row, device: `gre-${row.name}` };
      },
    );
    const lives: Lives = Object.fromEntries(
      rows.map((row, day) => [
        row.name,
        { asked: askedBy(row) ?? "", life: "dead", since: `2026-01-0${3 - day}T00:00:00Z` },
      ]),
    );
    const manifest = { ...MANIFEST, tunnels: rows };
    const closedIf = (noLiveTunnel: NoLiveTunnel) =>
      liveLines({ nexthops, table }, deadAmong(manifest, lives), noLiveTunnel).closed;
    const since = "2026-01-03T00:00:00Z";
    expect(blackholesOf(manifest, closedIf("blackhole"), lives)).toEqual([
      { prefix: "203.0.113.0/24", tunnels: ["a", "b", "c"], since },
      { prefix: "203.0.113.0/25", tunnels: ["a", "b", "c"], since },
      { prefix: "198.51.100.0/24", tunnels: ["a"], since },
    ]);
    expect(blackholesOf(manifest, closedIf("use"), lives)).toEqual([]);
  });

  test("when one dies as another lives again, the way into what lives stands before the dead one's is closed", () => {
    const whole = "route add 203.0.112.0/23 dev gre-b metric 101 table 1000";
    const pair =
      "nexthop add id 8 group 2,1/3,1 type resilient buckets 130 idle_timer 20 unbalanced_timer 60";
    const lines = { nexthops, table: [CLOSED, pair, SHARED, whole, A, ALONE] };
    const asked = new Set(["gre-a", "gre-b", "gre-c"]);
    const dead = new Set(["gre-b", "gre-c"]);
    const live = liveLines(lines, dead, "blackhole");
    expect(replacements(lines, live, dead, asked)).toEqual([
      ...[group("1,3"), A, ALONE],
      "route add blackhole 203.0.112.0/23 metric 101 table 1000",
      pair,
    ]);
  });

  test("that lead into a tunnel, alone or among others", () => {
    expect([...routesInto({ nexthops, table }, new Set(["gre-a"]))]).toEqual([ALL, A, ALONE]);
    expect([...routesInto({ nexthops, table }, new Set(["gre-c"]))]).toEqual([ALL]);
  });
});

test("a bundle of before there was a choice uses dead tunnels where none lives", () => {
  const { noLiveTunnel: _, ...old } = MANIFEST;
  expect(manifestSchema.parse(old).noLiveTunnel).toBe("use");
});

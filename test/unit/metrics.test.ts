import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Counts } from "../../runtime/metrics/counts.js";
import { Metrics } from "../../runtime/metrics/metrics.js";
import { type MetricsServer, serveMetrics } from "../../runtime/metrics/server.js";

const ROOT = join(import.meta.dirname, "../..");

const NONE: Counts = { root: {}, customers: [] };
const COUNTS: Counts = {
  root: { malformed: { packets: 3, bytes: 60 }, foreign: { packets: 0, bytes: 0 } },
  customers: [
    {
      ...{ customer: "acme", generation: 7, since: 1_700_000_000 },
      rules: [
        { stage: "mitigate", rule: "few", action: "limit", packets: 5, bytes: 500 },
        { stage: "firewall", rule: "default", action: "", packets: 2, bytes: 80 },
      ],
      tunnels: [
        {
          tunnel: "chicago",
          health: {
            ...{ life: "dead", since: "2026-01-02T03:04:05.000Z" },
            probes: { sent: 10, lost: 4, lastAnswer: null, rtt: 12, trouble: null },
          },
          sent: { packets: 11, bytes: 660 },
          received: { packets: 4, bytes: 160 },
          dropped: { packets: 1, bytes: 1450 },
        },
      ],
      blackholes: 2,
      ownAddresses: 3,
    },
  ],
};

/** Sample lines without comments. */
async function samples(metrics: Metrics): Promise<readonly string[]> {
  return (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("what Prometheus reads", () => {
  test("is each counter as it is, not added to what was read before", async () => {
    const metrics = new Metrics(async () => COUNTS);
    await metrics.text();
    expect(await samples(metrics)).toEqual(
      expect.arrayContaining([
        'tidegate_packets_total{customer="acme",stage="mitigate",rule="few",action="limit"} 5',
        'tidegate_bytes_total{customer="acme",stage="mitigate",rule="few",action="limit"} 500',
        'tidegate_packets_total{customer="acme",stage="firewall",rule="default",action=""} 2',
        'tidegate_limited_packets_total{customer="acme",stage="mitigate",rule="few"} 5',
        'tidegate_root_packets_total{kind="malformed"} 3',
        'tidegate_root_bytes_total{kind="malformed"} 60',
        'tidegate_tunnel_packets_total{customer="acme",tunnel="chicago",kind="sent"} 11',
        'tidegate_tunnel_bytes_total{customer="acme",tunnel="chicago",kind="received"} 160',
        'tidegate_tunnel_packets_total{customer="acme",tunnel="chicago",kind="dropped"} 1',
        'tidegate_root_packets_total{kind="foreign"} 0',
        'tidegate_generation{customer="acme"} 7',
        'tidegate_blackhole_prefixes{customer="acme"} 2',
        'tidegate_own_addresses{customer="acme"} 3',
        'tidegate_in_force_since_seconds{customer="acme"} 1700000000',
        "tidegate_customers 1",
      ]),
    );
  });

  test("forgets customers that are gone", async () => {
    let counts = COUNTS;
    const metrics = new Metrics(async () => counts);
    metrics.drift("acme", 2);
    expect((await samples(metrics)).join("\n")).toContain("acme");
    counts = NONE;
    metrics.removed("acme");
    expect((await samples(metrics)).join("\n")).not.toContain("acme");
  });

  test("holds what the daemon did", async () => {
    const metrics = new Metrics(async () => NONE);
    metrics.applied("acme", 84);
    metrics.applied("acme", 3000);
    metrics.failed("acme", "TG5007");
    metrics.drift(null, 1);
    metrics.drift("acme", 2);
    metrics.waiting(4);
    expect(await samples(metrics)).toEqual(
      expect.arrayContaining([
        'tidegate_apply_duration_seconds_bucket{le="0.1"} 1',
        'tidegate_apply_duration_seconds_bucket{le="5"} 2',
        "tidegate_apply_duration_seconds_sum 3.084",
        'tidegate_apply_failures_total{customer="acme",code="TG5007"} 1',
        "tidegate_node_drift 1",
        'tidegate_drift{customer="acme"} 2',
        "tidegate_waiting_customers 4",
      ]),
    );
  });

  test("is read once for all who ask at the same time", async () => {
    let reads = 0;
    const metrics = new Metrics(async () => {
      reads++;
      return COUNTS;
    });
    const texts = await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
    expect(new Set(texts).size).toBe(1);
    expect(reads).toBe(1);
    await metrics.text();
    expect(reads).toBe(2);
  });
});

describe("the endpoint", () => {
  let server: MetricsServer | undefined;
  afterEach(() => server?.close());

  async function ask(read: () => Promise<Counts>, path: string, method = "GET"): Promise<string> {
    server = await serveMetrics(new Metrics(read), { host: "127.0.0.1", port: 0 });
    const response = await fetch(`http://${server.address}${path}`, { method });
    return `${response.status} ${response.headers.get("content-type")} ${await response.text()}`;
  }

  test("answers with the metrics", async () => {
    expect(await ask(async () => COUNTS, "/metrics")).toMatch(
      /^200 text\/plain; version=0\.0\.4; charset=utf-8 # HELP[\s\S]*\ntidegate_customers 1\n/,
    );
  });

  test.each([
    ["/", "GET", /^404 /],
    ["/metrics", "POST", /^405 /],
  ])("%s by %s is refused", async (path, method, answer) => {
    expect(await ask(async () => COUNTS, path, method)).toMatch(answer);
  });

  test("says why there are none", async () => {
    const broken = () => Promise.reject(new Error("the loader is gone"));
    expect(await ask(broken, "/metrics")).toMatch(/^500 .*the loader is gone\n$/);
  });
});

describe("names", () => {
  const names = new Metrics(async () => NONE).names();
  const page = readFileSync(join(ROOT, "docs/metrics.md"), "utf8");
  const dashboard = JSON.parse(readFileSync(join(ROOT, "docs/grafana-dashboard.json"), "utf8"));
  // biome-ignore lint/suspicious/noExplicitAny: a file of Grafana's shape
  const queries: readonly string[] = dashboard.panels.flatMap((panel: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: as above
    panel.targets.map((target: any) => target.expr),
  );

  test("are all in docs/metrics.md, and no others", () => {
    const documented = [...page.matchAll(/^\| `(tidegate_\w+)`/gm)].map(([, name]) => name);
    expect(documented).toEqual([...new Set(documented)]);
    expect([...documented].sort()).toEqual([...names].sort());
  });

  test.each(queries)("the dashboard asks for what there is: %s", async (query) => {
    const used = [...query.matchAll(/tidegate_\w+/g)].map(([name]) =>
      name.replace(/_(bucket|sum|count)$/, ""),
    );
    expect(used.length).toBeGreaterThan(0);
    for (const name of used) expect(names).toContain(name);
    const metrics = new Metrics(async () => COUNTS);
    metrics.failed("acme", "TG5007");
    metrics.drift("acme", 1);
    const text = await metrics.text();
    // Prometheus itself adds `instance`, and `le` to buckets.
    const labels = [...query.matchAll(/[{,(]\s*(\w+)\s*=~?"|by \(([^)]*)\)/g)].flatMap(([, one, many]) =>
      one === undefined ? (many ?? "").split(", ") : [one],
    );
    for (const label of labels.filter((one) => one !== "instance"))
      for (const name of used)
        expect(text).toMatch(new RegExp(`^${name}(_bucket)?\\{[^}]*\\b${label}="`, "m"));
  });

  test("of every metric are on the dashboard", () => {
    for (const name of names) expect(queries.some((query) => query.includes(name))).toBe(true);
  });
});
